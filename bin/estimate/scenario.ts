/** The scenario of an estimate, from its command line. */

import { flag, type OptionsOf, parseCommandLine } from '../../lib/base/command-line.ts';
import {
  bitRate,
  decimal,
  type OptionalSetting,
  oneOf,
  type Setting,
  wholeNumber,
} from '../../lib/base/settings.ts';
import { DEFAULT_LADDER, type Rung } from '../../lib/domain/ladder.ts';
import { PRICES } from './prices.ts';

const LADDER_NAMES = DEFAULT_LADDER.map(({ name }) => name).join(',');
const TASK_VCPU = [0.5, 1, 2, 4, 8, 16];

const option = <Value>(
  name: string,
  shownDefault: string,
  rule: Setting<Value>,
  meaning: string,
): OptionalSetting<Value> & Readonly<{ name: string; shownDefault: string; meaning: string }> => ({
  ...rule,
  name,
  meaning,
  shownDefault,
  otherwise: rule.read(shownDefault) as Value,
});

const bps = bitRate(10_000, 200e6);
const rungs = { expected: `some of ${LADDER_NAMES}`, read: parseLadder };
const vcpu = {
  expected: `one of ${TASK_VCPU.join(', ')}`,
  read: (text: string) => TASK_VCPU.find((size) => size === Number(text)),
};

const OPTIONS = {
  region: option('region', 'us-east-1', oneOf(...Object.keys(PRICES)), 'whose prices'),
  ladder: option('ladder', LADDER_NAMES, rungs, 'rungs by name'),
  bitrateBps: option('bitrate', '6M', bps, 'of the source'),
  segmentSeconds: option('segment-seconds', '4', decimal(1, 30), 'of a source segment'),
  languages: option('languages', '1', wholeNumber(0, 8), 'audio tracks'),
  viewers: option('viewers', '100', wholeNumber(1, 10_000_000), 'of a stream at once'),
  viewerBitrateBps: option('viewer-bitrate', '3M', bps, 'what a viewer gets, audio and video'),
  edges: option('edges', '2', wholeNumber(1, 100), 'CDN caches that request from the origin'),
  streams: option('streams', '1', wholeNumber(1, 10_000), 'at once, alike'),
  hours: option(
    'hours',
    '2',
    decimal(0.1, 10_000),
    'that one stream lasts; its workers start once and idle at its end',
  ),
  architecture: option('architecture', 'arm64', oneOf('arm64', 'x86_64'), 'of tasks and functions'),
  taskVcpu: option('task-vcpu', '2', vcpu, 'of a worker task'),
  taskGb: option('task-gb', '4', wholeNumber(1, 120), 'of a worker task'),
  spotPercent: option('spot-percent', '70', wholeNumber(0, 100), 'of the tasks after the first'),
  /** Share of the tasks' CPU that jobs keep busy. */
  utilisation: option('utilisation', '0.8', decimal(0.1, 1), 'of tasks when there are several'),
  /** undefined: measured here. */
  cpuSeconds: option<number | undefined>(
    'cpu-seconds',
    'measured',
    decimal(0.01, 1000),
    'for a second of media; skips the measurement',
  ),
  vcpuFactor: option(
    'vcpu-factor',
    '1',
    decimal(0.1, 10),
    'vCPU seconds on AWS for one CPU second here',
  ),
  callMs: option(
    'call-ms',
    '8',
    decimal(0, 1000),
    'a function waits for one call of S3, DynamoDB or SQS',
  ),
  retentionDays: option('retention-days', '30', wholeNumber(1, 3650), 'that media is kept'),
  minTasks: option('min-tasks', '0', wholeNumber(0, 100), 'that run all month'),
};

export type Scenario = OptionsOf<typeof OPTIONS>;

export type EstimateCommand = Readonly<{ help: boolean; markdown: boolean; scenario: Scenario }>;

export const HELP = [
  'npm run estimate -- [--OPTION VALUE …] [--markdown]',
  '',
  'What streams cost on AWS, from dated list prices and from what the code does in a short run.',
  '',
  ...Object.values(OPTIONS).map(
    ({ name, meaning, shownDefault }) => `  --${name.padEnd(16)} ${meaning} (${shownDefault})`,
  ),
  '  --markdown         tables for a README',
  '  --help             this text',
].join('\n');

/** Throws UsageError. */
export function parseEstimate(argv: readonly string[]): EstimateCommand {
  const rules = Object.values(OPTIONS).map((rule): [string, Setting<unknown>] => [rule.name, rule]);
  const named: Readonly<Record<string, Setting<unknown>>> = Object.fromEntries(rules);
  const { help, given, options } = parseCommandLine({ ...named, markdown: flag }, argv);
  const values: Readonly<Record<string, unknown>> = options;
  const scenario = Object.entries(OPTIONS).map(([field, { name }]) => [field, values[name]]);
  const markdown = given.has('markdown');
  return { help, markdown, scenario: Object.fromEntries(scenario) as Scenario };
}

function parseLadder(text: string): readonly Rung[] | undefined {
  const names = text.split(',');
  const rungs = DEFAULT_LADDER.filter(({ name }) => names.includes(name));
  return rungs.length === names.length ? rungs : undefined;
}
