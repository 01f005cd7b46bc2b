/** Settings of each process, read once from its environment where it starts. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_IDLE_MS } from './domain/scaling.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type ServerConfig = Readonly<{
  port: number;
  host: string;
  /** Absolute path of the folder with the streams' media and the database. */
  dataPath: string;
  /** Absent: the server makes one on its first start and keeps it. */
  ownerKey?: string;
  /** Worker processes at most. */
  workers: number;
  /** Segments that one of them transcodes at once. */
  jobs: number;
  /** A worker that was not needed for so long goes. */
  idleMs: number;
}>;

export type WorkerConfig = Readonly<{
  dataPath: string;
  /** Segments transcoded at once. */
  jobs: number;
}>;

/** Names every wrong setting, one a line: what came and what was expected. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

const PREFIX = 'RIVULET_';

/** Values that no message may show. */
const SECRETS: ReadonlySet<string> = new Set(['RIVULET_OWNER_KEY']);

const wholeNumber = (min: number, max: number) => {
  const expected = `a whole number from ${min} to ${max}`;
  const inRange = (value: number) => value >= min && value <= max;
  return z
    .string()
    .regex(/^\d{1,6}$/, expected)
    .transform(Number)
    .refine(inRange, expected);
};

const dataPath = z
  .string()
  .default('.rivulet')
  .transform((path) => resolve(path));

// One encodes while the other one reads or stores.
const jobs = wholeNumber(1, 32).default(2);

const serverSettings = {
  // Beside the numbers that other development servers take by default.
  PORT: wholeNumber(0, 65_535).default(8080),
  // Nobody else's business until the owner says so.
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9._:-]+$/, 'a host name or an IP address, like 0.0.0.0')
    .default('127.0.0.1'),
  RIVULET_DATA: dataPath,
  // Unreserved in URLs (RFC 3986, 2.3): the key stands in https://x:KEY@host/… as it is.
  RIVULET_OWNER_KEY: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{16,}$/, '16 or more letters, digits, "-", ".", "_" or "~"')
    .optional(),
  RIVULET_WORKERS: wholeNumber(0, 64).optional(),
  RIVULET_JOBS: jobs,
  RIVULET_IDLE_SECONDS: wholeNumber(1, 86_400).default(DEFAULT_IDLE_MS / 1000),
};

const workerSettings = { RIVULET_DATA: dataPath, RIVULET_JOBS: jobs };

/** RIVULET_KEY is the encoder's, who may well share an environment with the server. */
const KNOWN_NAMES = [
  ...new Set([...Object.keys(serverSettings), ...Object.keys(workerSettings), 'RIVULET_KEY']),
];

/** Throws ConfigError. */
export function serverConfig(env: Environment, cores = availableParallelism()): ServerConfig {
  const settings = parseSettings(z.object(serverSettings), env);
  return {
    port: settings.PORT,
    host: settings.HOST,
    dataPath: settings.RIVULET_DATA,
    ...(settings.RIVULET_OWNER_KEY !== undefined && { ownerKey: settings.RIVULET_OWNER_KEY }),
    // With two jobs each: as many segments at once as there are cores.
    workers: settings.RIVULET_WORKERS ?? Math.max(1, Math.floor(cores / 2)),
    jobs: settings.RIVULET_JOBS,
    idleMs: settings.RIVULET_IDLE_SECONDS * 1000,
  };
}

/** Throws ConfigError. */
export function workerConfig(env: Environment): WorkerConfig {
  const settings = parseSettings(z.object(workerSettings), env);
  return { dataPath: settings.RIVULET_DATA, jobs: settings.RIVULET_JOBS };
}

function parseSettings<Settings>(schema: z.ZodType<Settings>, env: Environment): Settings {
  // `PORT= npm start` and an empty line of an env file mean the default.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  const wrong = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = String(path[0]);
    return `${name} is ${shown(name, given[name])}; expected: ${message}.`;
  });
  const problems = [...wrong, ...Object.keys(given).filter(isUnknown).map(unknownSetting)];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
}

const shown = (name: string, value = ''): string =>
  SECRETS.has(name) ? `a text of ${value.length} characters` : JSON.stringify(value);

const isUnknown = (name: string): boolean => name.startsWith(PREFIX) && !KNOWN_NAMES.includes(name);

function unknownSetting(name: string): string {
  const [nearest] = KNOWN_NAMES.filter((known) => known.startsWith(PREFIX))
    .map((known) => ({ known, edits: editDistance(name, known) }))
    .sort((a, b) => a.edits - b.edits);
  return `${name} is no setting; the nearest one is ${nearest?.known}.`;
}

/** Levenshtein's: insertions, deletions and replacements that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
