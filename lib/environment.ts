/**
 * Settings from environment variables: each has a rule, and all that break theirs are reported at once. Without
 * a validation library, as functions read theirs in every cold start.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names every wrong setting, one a line: what came and what was expected. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

export type Setting<Value> = Readonly<{
  expected: string;
  /** undefined: the text is no such value. */
  read(text: string): Value | undefined;
  /** Its value must not stand in a message. */
  secret?: boolean;
}>;

/** May be left out. */
export type OptionalSetting<Value> = Setting<Value> & Readonly<{ otherwise: Value }>;

type Rules = Readonly<Record<string, Setting<unknown>>>;

export type SettingsOf<Given extends Rules> = Readonly<{
  [Name in keyof Given]: Given[Name] extends OptionalSetting<infer Value>
    ? Value
    : Given[Name] extends Setting<infer Value>
      ? Value
      : never;
}>;

/** The variables that a process with these settings expects. */
export type EnvironmentOf<Given extends Rules> = Readonly<
  {
    [Name in keyof Given as Given[Name] extends OptionalSetting<unknown> ? never : Name]: string;
  } & {
    [Name in keyof Given as Given[Name] extends OptionalSetting<unknown> ? Name : never]?:
      | string
      | undefined;
  }
>;

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
  read(given) {
    const value = /^\d{1,6}$/.test(given) ? Number(given) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  },
});

export const withDefault = <Value>(
  setting: Setting<Value>,
  otherwise: Value,
): OptionalSetting<Value> => ({ ...setting, otherwise });

export const optional = <Value>(setting: Setting<Value>): OptionalSetting<Value | undefined> => ({
  ...setting,
  otherwise: undefined,
});

/**
 * `PORT= npm start` and an empty line of an env file mean the default. `problems` are what else is
 * wrong with the environment. Throws ConfigError.
 */
export function readSettings<Given extends Rules>(
  rules: Given,
  env: Environment,
  problems: readonly string[] = [],
): SettingsOf<Given> {
  const wrong: string[] = [];
  const settings = Object.entries(rules).map(([name, rule]) => {
    const given = env[name] || undefined;
    if (given === undefined && 'otherwise' in rule) return [name, rule.otherwise];
    const value = given === undefined ? undefined : rule.read(given);
    if (value === undefined) {
      wrong.push(`${name} is ${shown(given, rule)}; expected: ${rule.expected}.`);
    }
    return [name, value];
  });
  if (wrong.length + problems.length > 0) throw new ConfigError([...wrong, ...problems]);
  return Object.fromEntries(settings);
}

function shown(given: string | undefined, { secret }: Setting<unknown>): string {
  if (given === undefined) return 'not set';
  return secret ? `a text of ${given.length} characters` : JSON.stringify(given);
}
