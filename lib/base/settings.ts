/** Rules for values that come as text: from an environment or a command line. */

export type Setting<Value> = Readonly<{
  /** Completes "expected: …". */
  expected: string;
  /** undefined: the text is no such value. */
  read(text: string): Value | undefined;
  /** Its value must not stand in a message. */
  secret?: boolean;
}>;

/** May be left out. */
export type OptionalSetting<Value> = Setting<Value> & Readonly<{ otherwise: Value }>;

export const text = (expected: string, pattern = /^/): Setting<string> => ({
  expected,
  read: (given) => (pattern.test(given) ? given : undefined),
});

export const url: Setting<string> = {
  expected: 'a URL, http:// or https://',
  read: (given) => (/^https?:\/\//.test(given) && URL.canParse(given) ? given : undefined),
};

export const wholeNumber = (min: number, max: number): Setting<number> => ({
  expected: `a whole number from ${min} to ${max}`,
  read: (given) => (/^\d{1,9}$/.test(given) ? within(Number(given), min, max) : undefined),
});

/** With a decimal point or without, never negative. */
export const decimal = (
  min: number,
  max: number,
  expected = `a number from ${min} to ${max}`,
): Setting<number> => ({
  expected,
  read: (given) => (/^\d*\.?\d+$/.test(given) ? within(Number(given), min, max) : undefined),
});

/** In bits per second; `k` and `M` are decimal. */
export const bitRate = (minBps: number, maxBps: number): Setting<number> => ({
  expected: 'a bit rate such as 800k or 6M',
  read(given) {
    const [, number, unit = ''] = given.match(/^(\d+(?:\.\d+)?)([kM]?)$/) ?? [];
    return within(Number(number) * ({ k: 1e3, M: 1e6 }[unit] ?? 1), minBps, maxBps);
  },
});

export const oneOf = <Value extends string>(...values: readonly Value[]): Setting<Value> => ({
  expected: values.join(' or '),
  read: (given) => values.find((value) => value === given),
});

/** Also undefined for NaN. */
const within = (value: number, min: number, max: number): number | undefined =>
  value >= min && value <= max ? value : undefined;

export const withDefault = <Value>(
  setting: Setting<Value>,
  otherwise: Value,
): OptionalSetting<Value> => ({ ...setting, otherwise });

export const optional = <Value>(setting: Setting<Value>): OptionalSetting<Value | undefined> => ({
  ...setting,
  otherwise: undefined,
});

/** The message for a value that breaks its rule; `given` is undefined where there is none. */
export function wrongValue(
  name: string,
  given: string | undefined,
  { expected, secret }: Setting<unknown>,
): string {
  const shown = secret ? `a text of ${given?.length} characters` : JSON.stringify(given);
  return `${name} is ${given === undefined ? 'not set' : shown}; expected: ${expected}.`;
}
