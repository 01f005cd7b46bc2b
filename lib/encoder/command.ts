/** The command line of the encoder, parsed once. */

import type { CaptionsInfo, SoundAlone } from '../api/client.ts';
import { flag, parseCommandLine, UsageError } from '../base/command-line.ts';
import { defined } from '../base/defined.ts';
import { bitRate, decimal, type Setting, text, wholeNumber } from '../base/settings.ts';
import { parseSession, parseVideoId } from '../domain/ids.ts';
import { languageTrack } from '../domain/languages/language-track.ts';
import { defaultSpoolFolder } from './spool.ts';

type Common = Readonly<{
  /** URL of the server, without credentials. */
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
    /** The sound of the source is left out. */
    noAudio?: true;
    /** The sound alone is sent, as a language of the stream. */
    sound?: SoundAlone;
    bitrateBps?: number;
    size?: Readonly<{ widthPx: number; heightPx: number }>;
    durationSeconds?: number;
    pace?: 'live' | 'fast';
    /** What waits of a live source: more is dropped, the oldest first. */
    spoolLimitBytes: number;
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

/** A file that the server cuts and transcodes. */
export type VodCommand = Omit<Common, 'spoolFolder'> &
  Readonly<{ type: 'vod'; input: string; videoId: string; title?: string; parallel?: number }>;

/** A file of captions for a stream that there is. */
export type CaptionsCommand = Omit<Common, 'spoolFolder'> &
  Readonly<{ type: 'captions'; input: string; videoId: string; track: CaptionsInfo }>;

export type Command =
  | Readonly<{ type: 'help' }>
  | EncodeCommand
  | RelayCommand
  | VodCommand
  | CaptionsCommand;

const orUndefined =
  <T>(parse: (text: string) => T) =>
  (text: string): T | undefined => {
    try {
      return parse(text);
    } catch {
      return undefined;
    }
  };

const seconds = decimal(0.001, 1e9, 'a number of seconds above 0');

const OPTIONS = {
  to: { expected: 'an http or https URL', read: parseTarget },
  stream: {
    expected: 'the id of a stream: 1 to 64 letters, digits, "-" or "_"',
    read: orUndefined(parseVideoId),
  },
  key: { ...text('a key'), secret: true },
  title: text('a text'),
  session: {
    expected: '1 to 128 letters, digits, ".", "_", ":" or "-"',
    read: orUndefined(parseSession),
  },
  'segment-seconds': decimal(0.5, 30, 'a number of seconds from 0.5 to 30'),
  bitrate: bitRate(10_000, 1e9),
  size: { expected: 'a width and a height in pixels such as 1280x720', read: parseSize },
  duration: seconds,
  parallel: wholeNumber(1, 16),
  spool: text('a folder'),
  'spool-limit': { expected: 'a size such as 500M or 10G', read: parseSizeBytes },
  'retry-for': seconds,
  port: wholeNumber(0, 65_535),
  live: flag,
  'as-fast-as-possible': flag,
  copy: flag,
  encode: flag,
  'no-audio': flag,
  'audio-only': flag,
  lang: { expected: 'a language such as fr or pt-BR', read: parseLanguageTag },
  description: flag,
  loop: flag,
  once: flag,
  vod: flag,
  captions: flag,
  forced: flag,
  sdh: flag,
  quiet: flag,
};

type Name = keyof typeof OPTIONS;

/** About 5 hours at 4 Mbit/s. */
const DEFAULT_SPOOL_LIMIT_BYTES = 10e9;

const RELAY_OPTIONS = ['to', 'stream', 'key', 'spool', 'retry-for', 'port', 'quiet'];

const VOD_OPTIONS = ['vod', 'to', 'stream', 'key', 'title', 'parallel', 'retry-for', 'quiet'];

const CAPTIONS_OPTIONS = [
  ...['captions', 'lang', 'forced', 'sdh'],
  ...['to', 'stream', 'key', 'retry-for', 'quiet'],
];

const CONFLICTS: readonly (readonly [Name, Name])[] = [
  ['copy', 'encode'],
  ['copy', 'bitrate'],
  ['copy', 'size'],
  ['live', 'as-fast-as-possible'],
  ['loop', 'as-fast-as-possible'],
  ['forced', 'sdh'],
  ['audio-only', 'no-audio'],
  ['audio-only', 'copy'],
  ['audio-only', 'bitrate'],
  ['audio-only', 'size'],
];

const MODE_OF: readonly (readonly [Name, string])[] = [
  ['lang', '--audio-only and --captions'],
  ['description', '--audio-only'],
  ['forced', '--captions'],
  ['sdh', '--captions'],
];

export const INPUT_EXPECTED = 'expected: a file, a device, a URL, "-", testsrc or relay.';

/** Throws `UsageError`. */
export function parseCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Command {
  const { help, options, given, positionals } = parseCommandLine(OPTIONS, argv, Infinity);
  if (help) return { type: 'help' };
  const [input, second] = positionals;
  if (input === undefined) throw new UsageError(`INPUT is missing; ${INPUT_EXPECTED}`);
  if (second !== undefined) {
    throw new UsageError(`Unexpected second input "${second}"; the first one is "${input}".`);
  }
  for (const [one, other] of CONFLICTS) {
    if (given.has(one) && given.has(other))
      throw new UsageError(`--${one} and --${other} cannot be combined.`);
  }
  const { to, stream: videoId, 'retry-for': retryForSeconds } = options;
  if (!to) throw missing('to', OPTIONS.to);
  const common: Common = {
    to: to.url,
    spoolFolder: options.spool ?? defaultSpoolFolder(env),
    quiet: options.quiet,
    ...defined({
      key: options.key ?? to.password ?? (env.RIVULET_KEY || undefined),
      retryForMs: retryForSeconds && retryForSeconds * 1000,
    }),
  };

  if (input === 'relay') {
    const alien = [...given].find((name) => !RELAY_OPTIONS.includes(name));
    if (alien) throw new UsageError(`--${alien} is not an option of the relay.`);
    return { type: 'relay', ...common, ...defined({ videoId }), port: options.port ?? 0 };
  }
  if (given.has('port')) throw new UsageError('--port is an option of the relay only.');
  if (videoId === undefined) throw missing('stream', OPTIONS.stream);
  const { 'audio-only': audioOnly, lang, description } = options;
  if ((audioOnly || options.captions) && lang === undefined) throw missing('lang', OPTIONS.lang);
  if (options.captions) {
    const alien = [...given].find((name) => !CAPTIONS_OPTIONS.includes(name));
    if (alien) throw new UsageError(`--${alien} and --captions cannot be combined.`);
    const { spoolFolder: _, ...rest } = common;
    const { forced, sdh } = options;
    const track = { lang: lang ?? '', ...(forced && { forced }), ...(sdh && { sdh }) };
    return { type: 'captions', ...rest, input, videoId, track };
  }
  for (const [name, mode] of MODE_OF) {
    if (given.has(name) && !audioOnly) throw new UsageError(`--${name} is for ${mode}.`);
  }
  const { session, title, size, parallel, loop, once } = options;
  if (options.vod) {
    const alien = [...given].find((name) => !VOD_OPTIONS.includes(name));
    if (alien) throw new UsageError(`--${alien} and --vod cannot be combined.`);
    const { spoolFolder: _, ...rest } = common;
    return { type: 'vod', ...rest, input, videoId, ...defined({ title, parallel }) };
  }
  const { 'segment-seconds': segmentSeconds, bitrate, duration } = options;
  const video: EncodeCommand['video'] = options.copy
    ? 'copy'
    : options.encode
      ? 'encode'
      : undefined;
  const isLive = options.live || loop;
  const fast = options['as-fast-as-possible'];
  const pace: EncodeCommand['pace'] = isLive ? 'live' : fast ? 'fast' : undefined;
  return {
    type: 'encode',
    ...common,
    input,
    videoId,
    loop,
    once,
    spoolLimitBytes: options['spool-limit'] ?? DEFAULT_SPOOL_LIMIT_BYTES,
    ...(options['no-audio'] && { noAudio: true }),
    ...(lang !== undefined && {
      sound: { kind: 'audio', lang, ...(description && { description: true }) },
    }),
    ...defined({ session, title, size, parallel, video, pace }),
    ...defined({ segmentSeconds, bitrateBps: bitrate, durationSeconds: duration }),
  };
}

const missing = (name: Name, { expected }: Setting<unknown>): UsageError =>
  new UsageError(`--${name} is missing; expected: ${expected}.`);

/** Credentials are taken out: `fetch` refuses URLs that carry them. */
function parseTarget(text: string): { url: string; password?: string } | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const password = decodeURIComponent(url.password) || undefined;
  return { url: (url.origin + url.pathname).replace(/\/+$/, ''), ...defined({ password }) };
}

function parseSize(text: string): { widthPx: number; heightPx: number } | undefined {
  const [, width, height] = text.match(/^(\d{2,5})x(\d{2,5})$/) ?? [];
  if (width === undefined || height === undefined) return undefined;
  return { widthPx: Number(width), heightPx: Number(height) };
}

function parseLanguageTag(text: string): string | undefined {
  try {
    return languageTrack(text, false).language;
  } catch {
    return undefined;
  }
}

/** `M` and `G` are decimal. */
function parseSizeBytes(text: string): number | undefined {
  const [, number, unit] = text.match(/^(\d+(?:\.\d+)?)([MG])$/) ?? [];
  return number === undefined ? undefined : Number(number) * (unit === 'G' ? 1e9 : 1e6);
}
