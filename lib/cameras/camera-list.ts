/** cameras.json: the cameras of a site, and how each of them is sent. Pure. */

import * as z from 'zod/mini';
import { UsageError } from '../base/command-line.ts';
import { didYouMean } from '../base/spelling.ts';
import { parseVideoId } from '../domain/ids.ts';

export type Camera = Readonly<{
  name: string;
  /** What the encoder takes as INPUT: an address that ffmpeg reads, a device, a file, or testsrc. */
  address: string;
  /** Id of its stream. */
  stream: string;
  /** Upload key of its stream, where the owner key is not to be used. */
  key?: string | undefined;
  segmentSeconds?: number | undefined;
  /** False: the sound is left out. */
  audio?: boolean | undefined;
  video?: 'copy' | 'encode' | undefined;
  bitrate?: string | undefined;
  size?: string | undefined;
}>;

/** Each has processes of its own. */
export const MAX_CAMERAS = 64;
const MAX_SHOWN = 60;

const EXPECTED: Readonly<Record<keyof Camera, string>> = {
  name: 'a text of 1 to 200 characters',
  address: 'an address that ffmpeg reads, such as rtsp://USER:PASSWORD@HOST/PATH',
  stream:
    'the id of a stream: 1 to 64 letters, digits, "-" or "_", beginning with a letter or digit',
  key: 'the upload key of the stream',
  segmentSeconds: 'a number from 0.5 to 30',
  audio: 'true or false',
  video: '"copy" or "encode"',
  bitrate: 'a bit rate such as "800k" or "6M"',
  size: 'a width and a height in pixels such as "1280x720"',
};

const printable = (text: string): boolean => !/\p{Cc}/u.test(text);

/** What the encoder would take for an option, for standard input, or for its relay is no camera. */
const isAddress = (text: string): boolean =>
  printable(text) && !text.startsWith('-') && text !== 'relay';

const entrySchema = z.strictObject({
  name: z.string().check(z.trim(), z.minLength(1), z.maxLength(200), z.refine(printable)),
  address: z.string().check(z.trim(), z.minLength(1), z.maxLength(2000), z.refine(isAddress)),
  stream: z.optional(z.string().check(z.refine(isVideoId))),
  key: z.optional(z.string().check(z.minLength(1), z.maxLength(200), z.refine(printable))),
  segmentSeconds: z.optional(z.number().check(z.minimum(0.5), z.maximum(30))),
  audio: z.optional(z.boolean()),
  video: z.optional(z.enum(['copy', 'encode'])),
  bitrate: z.optional(z.string().check(z.regex(/^[1-9]\d{0,8}(\.\d{1,3})?[kM]$/))),
  size: z.optional(z.string().check(z.regex(/^\d{2,5}x\d{2,5}$/))),
});

type Entry = z.infer<typeof entrySchema>;

/** The cameras of a file's text. Throws `UsageError`, which names each wrong entry and what it should be. */
export function parseCameraList(text: string, file: string): readonly Camera[] {
  const list = parseJson(text, file);
  const problems: string[] = [];
  const cameras = list.map((given, index) => {
    const result = entrySchema.safeParse(given);
    const name = `${file}, ${nameOf(given, index)}`;
    if (!result.success) {
      problems.push(...describe(result.error.issues, given).map((said) => `${name}: ${said}`));
      return undefined;
    }
    const stream = result.data.stream ?? streamIdOf(result.data.name);
    if (stream === undefined) {
      problems.push(
        `${name}: "stream" is missing, and the name makes none; expected: ${EXPECTED.stream}.`,
      );
      return undefined;
    }
    problems.push(...conflictsOf(result.data).map((said) => `${name}: ${said}`));
    return { ...result.data, stream };
  });
  const places = new Map<string, number>();
  for (const [index, camera] of cameras.entries()) {
    if (!camera) continue;
    const first = places.get(camera.stream);
    if (first !== undefined) {
      problems.push(
        `${file}, ${nameOf(camera, index)}: stream "${camera.stream}" is that of entry ${first + 1}; give it a "stream" of its own.`,
      );
    } else places.set(camera.stream, index);
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return cameras.filter((camera) => camera !== undefined);
}

const conflictsOf = ({ video, bitrate, size }: Entry): string[] =>
  video === 'copy' && (bitrate !== undefined || size !== undefined)
    ? ['video that is copied keeps its bit rate and size; leave "bitrate" and "size" out.']
    : [];

function parseJson(text: string, file: string): readonly unknown[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    // What the parser quotes of the file may be a password.
    const [, position] = String(error).match(/position (\d+)/) ?? [];
    const line = position && text.slice(0, Number(position)).split('\n').length;
    throw new UsageError(
      `${file} is no JSON${line ? ` from line ${line} on` : ''}; expected: a list such as [{ "name": "Door", "address": "rtsp://…" }].`,
    );
  }
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_CAMERAS) {
    const what = Array.isArray(list) ? `a list of ${list.length} entries` : 'no list';
    throw new UsageError(
      `${file} is ${what}; expected: a list of 1 to ${MAX_CAMERAS} cameras, each { "name": …, "address": … }.`,
    );
  }
  return list;
}

function isVideoId(text: string): boolean {
  try {
    return parseVideoId(text) === text;
  } catch {
    return false;
  }
}

/** `Front door` → `front-door`; undefined when nothing of the name can stand in an id. */
export function streamIdOf(name: string): string | undefined {
  const id = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replace(/^-+|-+$/g, '');
  return isVideoId(id) ? id : undefined;
}

function nameOf(entry: unknown, index: number): string {
  const name = fieldOf(entry, 'name');
  return `entry ${index + 1}${typeof name === 'string' && name !== '' ? ` (${shown(name)})` : ''}`;
}

function describe(issues: readonly z.core.$ZodIssue[], entry: unknown): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(
        (key) => `unknown ${shown(key)}; ${didYouMean(key, Object.keys(EXPECTED))}`,
      );
    }
    const [field] = issue.path as readonly (keyof Camera)[];
    if (field === undefined) {
      return [`is ${shown(entry)}; expected: an object with "name" and "address".`];
    }
    const value = fieldOf(entry, field);
    // Addresses carry passwords, too.
    const isSecret = field === 'key' || field === 'address';
    const is =
      value === undefined ? 'is missing' : isSecret ? 'is not right' : `is ${shown(value)}`;
    return [`"${field}" ${is}; expected: ${EXPECTED[field]}.`];
  });
}

const fieldOf = (entry: unknown, field: string): unknown =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, field)
    ? (entry as Readonly<Record<string, unknown>>)[field]
    : undefined;

/** As JSON, which has no control characters; a page of it at most. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
