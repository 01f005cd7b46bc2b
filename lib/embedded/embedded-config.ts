/** Settings of the server and of its worker processes, read once from the environment where they start. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defined } from '../base/defined.ts';
import { type Environment, readSettings } from '../base/environment.ts';
import { optional, text, wholeNumber, withDefault } from '../base/settings.ts';
import { didYouMean } from '../base/spelling.ts';
import { DEFAULT_IDLE_MS } from '../domain/scaling.ts';

export type ServerConfig = Readonly<{
  port: number;
  host: string;
  /** Absolute path of the folder with the streams' media and the database. */
  dataPath: string;
  /** Absent: the server makes one on its first start and keeps it. */
  ownerKey?: string;
  /** In which a proxy says the country of its client; absent: none does. */
  countryHeader?: string;
  /** Worker processes at most. */
  workers: number;
  /** Segments that one of them transcodes at once. */
  jobs: number;
  /** A worker that was not needed for so long goes. */
  idleMs: number;
  /** Days that recordings of new streams are kept; 0: for ever. */
  retentionDays: number;
}>;

export type WorkerConfig = Readonly<{
  dataPath: string;
  /** Segments transcoded at once. */
  jobs: number;
}>;

const PREFIX = 'RIVULET_';

const dataPath = withDefault(text('the path of a folder'), '.rivulet');

// One encodes while the other one reads or stores.
const jobs = withDefault(wholeNumber(1, 32), 2);

const serverSettings = {
  // Beside the numbers that other development servers take by default.
  PORT: withDefault(wholeNumber(0, 65_535), 8080),
  // Not reachable from other machines until the owner says so.
  HOST: withDefault(
    text('a host name or an IP address, like 0.0.0.0', /^[A-Za-z0-9._:-]+$/),
    '127.0.0.1',
  ),
  RIVULET_DATA: dataPath,
  // Unreserved in URLs (RFC 3986, 2.3): the key stands in https://x:KEY@host/… as it is.
  RIVULET_OWNER_KEY: optional({
    ...text('16 or more letters, digits, "-", ".", "_" or "~"', /^[A-Za-z0-9._~-]{16,}$/),
    secret: true,
  }),
  RIVULET_COUNTRY_HEADER: optional(text('the name of a header', /^[A-Za-z0-9-]{1,64}$/)),
  RIVULET_WORKERS: optional(wholeNumber(0, 64)),
  RIVULET_JOBS: jobs,
  RIVULET_IDLE_SECONDS: withDefault(wholeNumber(1, 86_400), DEFAULT_IDLE_MS / 1000),
  RIVULET_RETENTION_DAYS: withDefault(wholeNumber(0, 3650), 0),
};

const workerSettings = { RIVULET_DATA: dataPath, RIVULET_JOBS: jobs };

/** RIVULET_KEY is the encoder's, which may share an environment with the server. */
const KNOWN_NAMES = [
  ...new Set([...Object.keys(serverSettings), ...Object.keys(workerSettings), 'RIVULET_KEY']),
];

/** Throws ConfigError. */
export function serverConfig(env: Environment, cores = availableParallelism()): ServerConfig {
  const settings = readSettings(serverSettings, env, unknownSettings(env));
  return {
    port: settings.PORT,
    host: settings.HOST,
    dataPath: resolve(settings.RIVULET_DATA),
    ...defined({
      ownerKey: settings.RIVULET_OWNER_KEY,
      countryHeader: settings.RIVULET_COUNTRY_HEADER,
    }),
    // With two jobs each: as many segments at once as there are cores.
    workers: settings.RIVULET_WORKERS ?? Math.max(1, Math.floor(cores / 2)),
    jobs: settings.RIVULET_JOBS,
    idleMs: settings.RIVULET_IDLE_SECONDS * 1000,
    retentionDays: settings.RIVULET_RETENTION_DAYS,
  };
}

/** Throws ConfigError. */
export function workerConfig(env: Environment): WorkerConfig {
  const settings = readSettings(workerSettings, env, unknownSettings(env));
  return { dataPath: resolve(settings.RIVULET_DATA), jobs: settings.RIVULET_JOBS };
}

const OWN_NAMES = KNOWN_NAMES.filter((name) => name.startsWith(PREFIX));

const unknownSettings = (env: Environment): string[] =>
  Object.keys(env)
    .filter((name) => env[name] && isUnknown(name))
    .map((name) => `${name} is an unknown setting; ${didYouMean(name, OWN_NAMES)}`);

const isUnknown = (name: string): boolean => name.startsWith(PREFIX) && !KNOWN_NAMES.includes(name);
