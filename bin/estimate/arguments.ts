/** The command line of the estimate. */

import { DEFAULT_LADDER, type Rung } from '../../lib/domain/ladder.ts';
import { PRICES } from './prices.ts';

/** The command line is wrong; the message names each wrong option and what was expected. */
export class EstimateUsageError extends Error {
  override readonly name = 'EstimateUsageError';
}

export type Scenario = Readonly<{
  region: string;
  ladder: readonly Rung[];
  /** Of the source. */
  bitrateBps: number;
  segmentSeconds: number;
  languages: number;
  /** At once, of each stream. */
  viewers: number;
  viewerBitrateBps: number;
  /** Caches of the CDN that ask the origin for themselves. */
  edges: number;
  /** At once. */
  streams: number;
  /** Of one stream. */
  hours: number;
  architecture: 'arm64' | 'x86_64';
  taskVcpu: number;
  taskGb: number;
  spotPercent: number;
  /** Share of the tasks' CPU that jobs keep busy when there is more than one task. */
  utilisation: number;
  /** CPU seconds for a second of media; undefined: measured here. */
  cpuSeconds?: number;
  /** Seconds of a Fargate vCPU, or of a Lambda one, that do what one CPU second does here. */
  vcpuFactor: number;
  /** One call of S3, DynamoDB or SQS from a function. */
  callMs: number;
  retentionDays: number;
  minTasks: number;
}>;

export type EstimateCommand = Readonly<{ help: boolean; markdown: boolean; scenario: Scenario }>;

type Option = Readonly<{ default: string; expected: string; meaning: string }>;

const LADDER_NAMES = DEFAULT_LADDER.map(({ name }) => name).join(',');

export const OPTIONS = {
  region: {
    default: 'us-east-1',
    expected: Object.keys(PRICES).join(' or '),
    meaning: 'whose prices',
  },
  ladder: { default: LADDER_NAMES, expected: `some of ${LADDER_NAMES}`, meaning: 'rungs by name' },
  bitrate: { default: '6M', expected: 'a bit rate such as 800k or 6M', meaning: 'of the source' },
  'segment-seconds': {
    default: '4',
    expected: 'seconds from 1 to 30',
    meaning: 'of a source segment',
  },
  languages: { default: '1', expected: 'a whole number from 0 to 8', meaning: 'audio tracks' },
  viewers: {
    default: '100',
    expected: 'a whole number from 1 to 10000000',
    meaning: 'of a stream at once',
  },
  'viewer-bitrate': {
    default: '3M',
    expected: 'a bit rate such as 800k or 6M',
    meaning: 'what a viewer gets, audio and video',
  },
  edges: {
    default: '2',
    expected: 'a whole number from 1 to 100',
    meaning: 'caches of the CDN that ask the origin',
  },
  streams: { default: '1', expected: 'a whole number from 1 to 10000', meaning: 'at once, alike' },
  hours: {
    default: '2',
    expected: 'hours from 0.1 to 10000',
    meaning: 'that one stream lasts; its workers start once and idle at its end',
  },
  architecture: {
    default: 'arm64',
    expected: 'arm64 or x86_64',
    meaning: 'of tasks and functions',
  },
  'task-vcpu': { default: '2', expected: '0.5, 1, 2, 4, 8 or 16', meaning: 'of a worker task' },
  'task-gb': {
    default: '4',
    expected: 'a whole number from 1 to 120',
    meaning: 'of a worker task',
  },
  'spot-percent': {
    default: '70',
    expected: 'a whole number from 0 to 100',
    meaning: 'of the tasks after the first',
  },
  utilisation: {
    default: '0.8',
    expected: 'a number from 0.1 to 1',
    meaning: 'of tasks when there are several',
  },
  'cpu-seconds': {
    default: 'measured',
    expected: 'a number from 0.01 to 1000',
    meaning: 'for a second of media; skips the measurement',
  },
  'vcpu-factor': {
    default: '1',
    expected: 'a number from 0.1 to 10',
    meaning: 'vCPU seconds on AWS for one CPU second here',
  },
  'call-ms': {
    default: '8',
    expected: 'a number from 0 to 1000',
    meaning: 'a function waits for one call of S3, DynamoDB or SQS',
  },
  'retention-days': {
    default: '30',
    expected: 'a whole number from 1 to 3650',
    meaning: 'that media is kept',
  },
  'min-tasks': {
    default: '0',
    expected: 'a whole number from 0 to 100',
    meaning: 'that run all month',
  },
} as const satisfies Readonly<Record<string, Option>>;

type Name = keyof typeof OPTIONS;

export const HELP = [
  'npm run estimate -- [--OPTION VALUE …] [--markdown]',
  '',
  'What streams cost on AWS, from dated list prices and from what the code does in a short run.',
  '',
  ...Object.entries(OPTIONS).map(
    ([name, option]) => `  --${name.padEnd(16)} ${option.meaning} (${option.default})`,
  ),
  '  --markdown         tables for a README',
  '  --help             this text',
].join('\n');

/** Throws EstimateUsageError. */
export function parseEstimate(argv: readonly string[]): EstimateCommand {
  const { given, flags, problems } = split(argv);
  const read = <T>(name: Name, parse: (text: string) => T | undefined): T => {
    const text = given.get(name) ?? OPTIONS[name].default;
    const value = parse(text);
    if (value === undefined) {
      problems.push(`--${name} is ${JSON.stringify(text)}; expected: ${OPTIONS[name].expected}.`);
    }
    return value as T;
  };
  const cpuSeconds = given.has('cpu-seconds')
    ? read('cpu-seconds', inRange(0.01, 1000))
    : undefined;
  const scenario: Scenario = {
    region: read('region', (text) => (text in PRICES ? text : undefined)),
    ladder: read('ladder', parseLadder),
    bitrateBps: read('bitrate', parseBitrate),
    segmentSeconds: read('segment-seconds', inRange(1, 30)),
    languages: read('languages', whole(0, 8)),
    viewers: read('viewers', whole(1, 10_000_000)),
    viewerBitrateBps: read('viewer-bitrate', parseBitrate),
    edges: read('edges', whole(1, 100)),
    streams: read('streams', whole(1, 10_000)),
    hours: read('hours', inRange(0.1, 10_000)),
    architecture: read('architecture', (text) =>
      text === 'arm64' || text === 'x86_64' ? text : undefined,
    ),
    taskVcpu: read('task-vcpu', (text) =>
      [0.5, 1, 2, 4, 8, 16].find((size) => size === Number(text)),
    ),
    taskGb: read('task-gb', whole(1, 120)),
    spotPercent: read('spot-percent', whole(0, 100)),
    utilisation: read('utilisation', inRange(0.1, 1)),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
    vcpuFactor: read('vcpu-factor', inRange(0.1, 10)),
    callMs: read('call-ms', inRange(0, 1000)),
    retentionDays: read('retention-days', whole(1, 3650)),
    minTasks: read('min-tasks', whole(0, 100)),
  };
  if (problems.length > 0) throw new EstimateUsageError(problems.join('\n'));
  return { help: flags.has('help'), markdown: flags.has('markdown'), scenario };
}

function split(argv: readonly string[]) {
  const given = new Map<string, string>();
  const flags = new Set<string>();
  const problems: string[] = [];
  const left = [...argv];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    const [, name = '', inline] = /^--([^=]+)(?:=(.*))?$/.exec(arg === '-h' ? '--help' : arg) ?? [];
    if (name === '') problems.push(`${JSON.stringify(arg)} belongs to no option.`);
    else if (name === 'markdown' || name === 'help') flags.add(name);
    else {
      // What looks like an option is one, and not the value of the option before.
      const value = inline ?? (left[0]?.startsWith('--') ? '' : (left.shift() ?? ''));
      if (name in OPTIONS) given.set(name, value);
      else
        problems.push(
          `There is no option --${name}; there are ${Object.keys(OPTIONS).join(', ')}.`,
        );
    }
  }
  return { given, flags, problems };
}

const inRange =
  (min: number, max: number) =>
  (text: string): number | undefined => {
    const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };

const whole =
  (min: number, max: number) =>
  (text: string): number | undefined =>
    /^\d+$/.test(text) ? inRange(min, max)(text) : undefined;

function parseBitrate(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text) ?? [];
  const bps = Number(number) * ({ '': 1, k: 1e3, M: 1e6 }[unit] ?? 1);
  return bps >= 10_000 && bps <= 200e6 ? bps : undefined;
}

function parseLadder(text: string): readonly Rung[] | undefined {
  const names = text.split(',');
  const rungs = DEFAULT_LADDER.filter(({ name }) => names.includes(name));
  return rungs.length === names.length ? rungs : undefined;
}
