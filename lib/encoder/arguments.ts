/** The command line of the encoder, parsed once. */

import { parseArgs } from 'node:util';
import { parseSession, parseVideoId } from '../domain/ids.ts';
import { defaultSpoolFolder } from './spool-location.ts';

/** The command line is wrong; the message names the option and what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Common = Readonly<{
  /** Without credentials. */
  to: string;
  key?: string;
  spoolFolder: string;
  quiet: boolean;
  retryForMs?: number;
}>;

export type EncodeCommand = Common &
  Readonly<{
    type: 'encode';
    input: string;
    videoId: string;
    session?: string;
    title?: string;
    segmentSeconds?: number;
    video?: 'copy' | 'encode';
    bitrateBps?: number;
    size?: Readonly<{ widthPx: number; heightPx: number }>;
    durationSeconds?: number;
    pace?: 'live' | 'fast';
    loop: boolean;
    once: boolean;
    parallel?: number;
  }>;

export type RelayCommand = Common &
  Readonly<{
    type: 'relay';
    /** Only this stream is taken; else the paths name the streams. */
    videoId?: string;
    port: number;
  }>;

export type Command = Readonly<{ type: 'help' }> | EncodeCommand | RelayCommand;

type Flag = 'live' | 'as-fast-as-possible' | 'copy' | 'encode' | 'loop' | 'once' | 'quiet' | 'help';

const FLAGS: readonly string[] = [
  'live',
  'as-fast-as-possible',
  'copy',
  'encode',
  'loop',
  'once',
  'quiet',
  'help',
] satisfies Flag[];

/** Options with a value, and what it must be. */
const EXPECTED = {
  to: 'an http or https URL',
  stream: 'the id of a stream: 1 to 64 letters, digits, "-" or "_"',
  key: 'a key',
  title: 'a text',
  session: '1 to 128 letters, digits, ".", "_", ":" or "-"',
  'segment-seconds': 'a number of seconds from 0.5 to 30',
  bitrate: 'a bit rate such as 2500k or 4M',
  size: 'a width and a height in pixels such as 1280x720',
  duration: 'a number of seconds above 0',
  parallel: 'a whole number from 1 to 16',
  spool: 'a folder',
  'retry-for': 'a number of seconds above 0',
  port: 'a whole number from 0 to 65535',
} as const;

type Valued = keyof typeof EXPECTED;

/** Options that mean nothing to the relay. */
const ENCODE_ONLY: readonly (Valued | Flag)[] = [
  'title',
  'session',
  'segment-seconds',
  'copy',
  'encode',
  'bitrate',
  'size',
  'duration',
  'live',
  'as-fast-as-possible',
  'loop',
  'once',
  'parallel',
];

const CONFLICTS: readonly (readonly [Valued | Flag, Valued | Flag])[] = [
  ['copy', 'encode'],
  ['copy', 'bitrate'],
  ['copy', 'size'],
  ['live', 'as-fast-as-possible'],
  ['loop', 'as-fast-as-possible'],
];

/** Throws `UsageError`. */
export function parseCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Command {
  const { values, flags, positionals } = splitArguments(argv);
  if (flags.has('help')) return { type: 'help' };
  const [input, ...others] = positionals;
  if (input === undefined) {
    throw new UsageError(
      'INPUT is missing: expected a file, a device, a URL, "-", testsrc or relay.',
    );
  }
  if (others.length > 0) {
    throw new UsageError(
      `"${others[0]}" is one INPUT too many: expected one ("${input}" came first).`,
    );
  }
  const given = (name: Valued | Flag): boolean => values.has(name) || flags.has(name);
  for (const [one, other] of CONFLICTS) {
    if (given(one) && given(other))
      throw new UsageError(`--${one} and --${other} exclude each other.`);
  }

  const read = <T>(name: Valued, parse: (text: string) => T | undefined): T | undefined => {
    const text = values.get(name);
    if (text === undefined) return undefined;
    const value = text === '' ? undefined : parse(text);
    if (value === undefined) throw expectedValue(name, text);
    return value;
  };
  const target = read('to', parseTarget);
  if (!target) throw new UsageError(`--to is missing: expected ${EXPECTED.to}.`);
  const key = read('key', (text) => text) ?? target.password ?? (env.RIVULET_KEY || undefined);
  const retryForSeconds = read('retry-for', numberBetween(0.001, 1e9));
  const videoId = read('stream', orUndefined(parseVideoId));
  const common: Common = {
    to: target.url,
    ...(key === undefined ? {} : { key }),
    spoolFolder: read('spool', (text) => text) ?? defaultSpoolFolder(env),
    quiet: flags.has('quiet'),
    ...(retryForSeconds === undefined ? {} : { retryForMs: retryForSeconds * 1000 }),
  };

  if (input === 'relay') {
    const alien = ENCODE_ONLY.find(given);
    if (alien) throw new UsageError(`--${alien} is not an option of the relay.`);
    return {
      type: 'relay',
      ...common,
      ...(videoId === undefined ? {} : { videoId }),
      port: read('port', wholeBetween(0, 65_535)) ?? 0,
    };
  }
  if (given('port')) throw new UsageError('--port is an option of the relay only.');
  if (videoId === undefined)
    throw new UsageError(`--stream is missing: expected ${EXPECTED.stream}.`);
  return {
    type: 'encode',
    ...common,
    input,
    videoId,
    ...defined({
      session: read('session', orUndefined(parseSession)),
      title: read('title', (text) => text),
      segmentSeconds: read('segment-seconds', numberBetween(0.5, 30)),
      bitrateBps: read('bitrate', parseBitrate),
      size: read('size', parseSize),
      durationSeconds: read('duration', numberBetween(0.001, 1e9)),
      parallel: read('parallel', wholeBetween(1, 16)),
      video: firstGiven(flags, { copy: 'copy', encode: 'encode' }),
      pace: firstGiven(flags, { live: 'live', loop: 'live', 'as-fast-as-possible': 'fast' }),
    }),
    loop: flags.has('loop'),
    once: flags.has('once'),
  };
}

type Split = Readonly<{
  values: ReadonlyMap<string, string>;
  flags: ReadonlySet<string>;
  positionals: readonly string[];
}>;

function splitArguments(argv: readonly string[]): Split {
  const valued = Object.keys(EXPECTED);
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(valued.map((name) => [name, { type: 'string' as const }])),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (FLAGS.includes(name)) {
      if (value !== undefined)
        throw new UsageError(`${rawName} takes no value, but "${value}" came.`);
      flags.add(name);
    } else if (valued.includes(name)) {
      if (value === undefined || (!token.inlineValue && value.startsWith('--'))) {
        throw new UsageError(`${rawName} has no value: expected ${EXPECTED[name as Valued]}.`);
      }
      values.set(name, value);
    } else {
      const known = [...valued, ...FLAGS].map((option) => `--${option}`).join(', ');
      throw new UsageError(`${rawName} is not an option: expected one of ${known}.`);
    }
  }
  return { values, flags, positionals };
}

const expectedValue = (name: Valued, text: string): UsageError =>
  new UsageError(`--${name} is "${text}": expected ${EXPECTED[name]}.`);

/** Credentials are taken out: `fetch` refuses URLs that carry them. */
function parseTarget(text: string): { url: string; password?: string } | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const password = decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return { url: url.href.replace(/\/+$/, ''), ...(password ? { password } : {}) };
}

const orUndefined =
  <T>(parse: (text: string) => T) =>
  (text: string): T | undefined => {
    try {
      return parse(text);
    } catch {
      return undefined;
    }
  };

const numberBetween =
  (least: number, most: number) =>
  (text: string): number | undefined => {
    const number = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  };

const wholeBetween =
  (least: number, most: number) =>
  (text: string): number | undefined =>
    /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;

function parseBitrate(text: string): number | undefined {
  const [, number, unit] = text.match(/^(\d+(?:\.\d+)?)([kM]?)$/) ?? [];
  if (number === undefined) return undefined;
  const bps = Number(number) * (unit === 'M' ? 1e6 : unit === 'k' ? 1e3 : 1);
  return bps >= 10_000 && bps <= 1e9 ? bps : undefined;
}

function parseSize(text: string): { widthPx: number; heightPx: number } | undefined {
  const [, width, height] = text.match(/^(\d{2,5})x(\d{2,5})$/) ?? [];
  if (width === undefined || height === undefined) return undefined;
  return { widthPx: Number(width), heightPx: Number(height) };
}

/** What the first of these flags stands for. */
const firstGiven = <T extends string>(
  flags: ReadonlySet<string>,
  meanings: Readonly<Record<string, T>>,
): T | undefined => Object.entries(meanings).find(([flag]) => flags.has(flag))?.[1];

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Left out instead of `undefined`, as exactOptionalPropertyTypes wants it. */
const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
