/** From counts to dollars. Pure. */

import { DEFAULT_IDLE_MS, SCALING_INTERVAL_MS } from '../../lib/domain/scaling.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import type { IdleResources } from './idle-resources.ts';
import { addUsage, perRun, timesUsage, type Work } from './meter.ts';
import { ALWAYS_FREE, type PriceList, type PriceName } from './prices.ts';
import type { Scenario } from './scenario.ts';

/** What is measured, each by itself, as the report calls it. */
export const ROLES = {
  upload: 'upload of a segment',
  transcode: 'transcode job',
  publish: 'publishing of a segment',
  housekeeping: 'housekeeping of an open stream (each 30 s)',
  housekeepingPublish: 'publisher, triggered by housekeeping',
  scale: 'scaling evaluation (each 10 s)',
  playlist: 'playlist request at the origin',
} as const;
export type Role = keyof typeof ROLES;

export const eachRole = <Value>(make: (role: Role) => Value): Record<Role, Value> =>
  Object.fromEntries(Object.keys(ROLES).map((role) => [role, make(role as Role)])) as Record<
    Role,
    Value
  >;

/** What a run has measured, and what the deployment consists of. */
export type Facts = Readonly<{
  work: Readonly<Record<Role, Work>>;
  /** Of ffmpeg and the worker together, for all rungs and languages. */
  cpuSecondsPerMediaSecond: number;
  /** Of the functions; the worker has none. */
  memoryMb: Readonly<Record<Exclude<Role, 'transcode'>, number>>;
  audioBps: number;
  idle: IdleResources;
}>;

export type CostLine = Readonly<{ driver: string; count: number; unit: string; usd: number }>;

export type Costs = Readonly<{
  streamHour: readonly CostLine[];
  viewerHour: readonly CostLine[];
  /** A recorded hour, kept for a month. */
  storedHour: readonly CostLine[];
  idleMonth: readonly CostLine[];
  /** After AWS's monthly free allowances. */
  idleMonthAfterFreeUsd: number;
  tasks: number;
}>;

const HOUR_SECONDS = 3600;
const MONTH_HOURS = 730;
/** Decimal: a little more than AWS counts. */
const GB = 1e9;
/** The HTTP API bills each 512 KB of a request. */
const HTTP_API_BYTES = 512 * 1024;
/** Memory with which a function gets one vCPU. */
const VCPU_MB = 1769;
/** From the creation of a task until it takes jobs, which is billed. */
const START_SECONDS = 60;
/** Between two housekeeping runs of an open stream. */
const HOUSEKEEPING_SECONDS = 30;
/** Between two polls of each queue of jobs by a worker with a free slot. */
const POLL_SECONDS = 2;
/** Metrics that functions send while a stream runs, and those of Container Insights. Assumed. */
const OWN_METRICS = 9;
const INSIGHTS_METRICS = 30;
/** Lambda's own lines and one of ours with metrics; for playlists only the former. */
const LOG_BYTES = 1500;
const VIEW_LOG_BYTES = 500;
/** Lambda keeps five long polls of 20 s open on each queue. */
const LAMBDA_POLLS_PER_HOUR = 5 * 3 * 60;
const IMAGE_GB = 0.2;

export const total = (lines: readonly CostLine[]): number =>
  lines.reduce((sum, { usd }) => sum + usd, 0);

export function costs(scenario: Scenario, facts: Facts, prices: PriceList): Costs {
  const bill = new Bill(prices, scenario);
  const tasks = tasksFor(scenario, facts.cpuSecondsPerMediaSecond);
  return {
    streamHour: streamHour(scenario, facts, bill, tasks),
    viewerHour: viewerHour(scenario, facts, bill),
    storedHour: storedHour(scenario, facts, bill),
    ...idleMonth(scenario, facts, bill),
    tasks,
  };
}

/** Tasks for all streams together. A single one may be fully busy: its jobs then wait for each other. */
export function tasksFor(
  { streams, taskVcpu, utilisation, vcpuFactor }: Scenario,
  cpuSecondsPerMediaSecond: number,
): number {
  const vcpu = streams * cpuSecondsPerMediaSecond * vcpuFactor;
  return vcpu <= taskVcpu ? 1 : Math.ceil(vcpu / (taskVcpu * utilisation));
}

class Bill {
  readonly #prices: PriceList;
  readonly #scenario: Scenario;
  readonly #chip: 'Arm64' | 'X86';

  constructor(prices: PriceList, scenario: Scenario) {
    this.#prices = prices;
    this.#scenario = scenario;
    this.#chip = scenario.architecture === 'arm64' ? 'Arm64' : 'X86';
  }

  line(name: PriceName, driver: string, count: number): CostLine {
    const { usd, unit, units } = this.#prices[name];
    return { driver, count, unit, usd: count * (usd / units) };
  }

  /** `hours`: of all tasks together. */
  tasks(market: 'fargate' | 'spot', hours: number): CostLine[] {
    const { taskVcpu, taskGb } = this.#scenario;
    const title = market === 'spot' ? 'Fargate Spot' : 'Fargate';
    return [
      this.line(`${market}VcpuHour${this.#chip}`, `${title}: CPU`, taskVcpu * hours),
      this.line(`${market}GbHour${this.#chip}`, `${title}: memory`, taskGb * hours),
    ];
  }

  functions(invocations: number, gbSeconds: number): CostLine[] {
    return [
      this.line('lambdaRequest', 'Lambda: invocations', invocations),
      this.line(`lambdaGbSecond${this.#chip}`, 'Lambda: time', gbSeconds),
    ];
  }
}

function streamHour(
  scenario: Scenario,
  { work, memoryMb }: Facts,
  bill: Bill,
  tasks: number,
): CostLine[] {
  const { streams, segmentSeconds, bitrateBps } = scenario;
  const segments = HOUR_SECONDS / segmentSeconds;
  const runs: Readonly<Record<Exclude<Role, 'playlist'>, number>> = {
    upload: segments,
    transcode: segments,
    publish: segments,
    housekeeping: HOUR_SECONDS / HOUSEKEEPING_SECONDS,
    housekeepingPublish: HOUR_SECONDS / HOUSEKEEPING_SECONDS,
    scale: HOUR_SECONDS / (SCALING_INTERVAL_MS / 1000) / streams,
  };
  const names = Object.keys(runs) as (keyof typeof runs)[];
  const usage = addUsage(...names.map((name) => timesUsage(perRun(work[name]).usage, runs[name])));
  const functions = names.filter((name) => name !== 'transcode');
  const invocations = functions.reduce((sum, name) => sum + runs[name], 0);
  const gbSeconds = functions.reduce(
    (sum, name) => sum + runs[name] * gbSecondsOf(scenario, work[name], memoryMb[name]),
    0,
  );
  const uploads = segments * Math.ceil(((bitrateBps / 8) * segmentSeconds) / HTTP_API_BYTES);
  const polls = (JOBS.classes.length * tasks * HOUR_SECONDS) / POLL_SECONDS / streams;
  const metrics = (OWN_METRICS + INSIGHTS_METRICS) / MONTH_HOURS / streams;
  return [
    ...taskLines(scenario, bill, tasks),
    bill.line('httpApiRequest', 'HTTP API: uploads', uploads),
    ...bill.functions(invocations, gbSeconds),
    bill.line('s3Put', 'S3: PUT', usage.mediaPuts + usage.mediaLists),
    bill.line('s3Get', 'S3: GET by workers', usage.mediaGets),
    bill.line('dynamoWrite', 'DynamoDB: writes', usage.writeUnits),
    bill.line('dynamoRead', 'DynamoDB: reads', usage.readUnits),
    bill.line('sqsStandard', 'SQS: standard', usage.standardRequests + polls),
    bill.line('sqsFifo', 'SQS: FIFO', usage.fifoRequests),
    bill.line('customMetric', 'CloudWatch: metrics', metrics),
    bill.line('logsGb', 'CloudWatch: logs', (invocations * LOG_BYTES) / GB),
  ];
}

/** The first task is on demand, of the others a share on Spot; each starts once and idles once. */
function taskLines({ spotPercent, hours, streams }: Scenario, bill: Bill, tasks: number) {
  const overhead = 1 + (DEFAULT_IDLE_MS / 1000 + START_SECONDS) / HOUR_SECONDS / hours;
  const share = overhead / streams;
  const onSpot = ((tasks - 1) * spotPercent) / 100;
  return [
    ...bill.tasks('fargate', (tasks - onSpot) * share),
    ...(onSpot > 0 ? bill.tasks('spot', onSpot * share) : []),
    bill.line('publicIpv4Hour', 'Public IPv4 of tasks', tasks * share),
  ];
}

/** One invocation: its computing at its share of a vCPU, and all its calls one after the other. */
export function gbSecondsOf(
  { vcpuFactor, callMs }: Pick<Scenario, 'vcpuFactor' | 'callMs'>,
  work: Work,
  memoryMb: number,
): number {
  const { cpuMs, usage } = perRun(work);
  const share = Math.min(1, memoryMb / VCPU_MB);
  const durationMs = (cpuMs * vcpuFactor) / share + usage.calls * callMs;
  return (durationMs / 1000) * (memoryMb / 1024);
}

/** What one viewer adds: requests of CDN caches to the origin are shared by all viewers of a stream. */
function viewerHour(scenario: Scenario, { work, memoryMb }: Facts, bill: Bill): CostLine[] {
  const { viewers, viewerBitrateBps, segmentSeconds, edges, ladder, languages } = scenario;
  const segments = HOUR_SECONDS / segmentSeconds;
  // Video and audio are two playlists, each requested as often as it grows.
  const perSegment = languages > 0 ? 2 : 1;
  const polls = segments * perSegment;
  const playlists = Math.min(viewers, ladder.length) + Math.min(viewers, languages);
  // A playlist lives for a second in each cache.
  const originPolls = Math.min(viewers * polls, edges * playlists * HOUR_SECONDS) / viewers;
  const originSegments = (Math.min(viewers, edges) * playlists * segments) / viewers;
  const { usage } = perRun(work.playlist);
  const gbSeconds = originPolls * gbSecondsOf(scenario, work.playlist, memoryMb.playlist);
  return [
    bill.line('cdnGb', 'CloudFront: transfer', ((viewerBitrateBps / 8) * HOUR_SECONDS) / GB),
    bill.line('cdnRequest', 'CloudFront: requests', polls + segments * perSegment),
    bill.line('httpApiRequest', 'HTTP API: playlists', originPolls),
    ...bill.functions(originPolls, gbSeconds),
    bill.line('dynamoRead', 'DynamoDB: reads', originPolls * usage.readUnits),
    bill.line('s3Get', 'S3: GET by the CDN', originSegments),
    bill.line('logsGb', 'CloudWatch: logs', (originPolls * VIEW_LOG_BYTES) / GB),
  ];
}

/** Rungs at their maximum rates: simple video takes less. */
function storedHour(scenario: Scenario, { work, audioBps }: Facts, bill: Bill): CostLine[] {
  const { ladder, bitrateBps, languages, segmentSeconds } = scenario;
  const rungsBps = ladder.reduce((sum, { maxrateBps }) => sum + maxrateBps, 0);
  const gb = (bps: number): number => ((bps / 8) * HOUR_SECONDS) / GB;
  const steps = [work.upload, work.transcode, work.publish];
  const { newItemBytes } = addUsage(...steps.map((one) => perRun(one).usage));
  const itemsGb = ((HOUR_SECONDS / segmentSeconds) * newItemBytes) / GB;
  return [
    bill.line('s3StorageGb', 'S3: source', gb(bitrateBps)),
    bill.line('s3StorageGb', 'S3: renditions', gb(rungsBps + languages * audioBps)),
    bill.line('dynamoStorageGb', 'DynamoDB: records', itemsGb),
    bill.line('dynamoRecoveryGb', 'DynamoDB: recovery', itemsGb),
  ];
}

function idleMonth(scenario: Scenario, { idle, work, memoryMb }: Facts, bill: Bill) {
  const taskHours = scenario.minTasks * MONTH_HOURS;
  const polls = (pollers: number): number => pollers * LAMBDA_POLLS_PER_HOUR * MONTH_HOURS;
  const schedule = timesUsage(perRun(work.scale).usage, idle.scheduledRunsPerMonth);
  const gbSeconds = idle.scheduledRunsPerMonth * gbSecondsOf(scenario, work.scale, memoryMb.scale);
  const { alarmMetrics, dashboards } = idle;
  const all = {
    alarmMetrics,
    dashboards,
    standard: polls(idle.standardQueuePollers) + schedule.standardRequests,
    fifo: polls(idle.fifoQueuePollers),
  };
  const lines = (counts: typeof all): CostLine[] => [
    bill.line('secret', 'Secrets Manager: owner key', idle.secrets),
    bill.line('alarmMetric', 'CloudWatch: alarms', counts.alarmMetrics),
    bill.line('dashboard', 'CloudWatch: dashboards', counts.dashboards),
    bill.line('sqsStandard', "SQS: Lambda's polls, standard", counts.standard),
    bill.line('sqsFifo', "SQS: Lambda's polls, FIFO", counts.fifo),
    ...bill.functions(idle.scheduledRunsPerMonth, gbSeconds),
    bill.line('dynamoRead', 'DynamoDB: reads', schedule.readUnits),
    bill.line('dynamoWrite', 'DynamoDB: writes', schedule.writeUnits),
    bill.line('imageGb', "ECR: the workers' image", IMAGE_GB),
    ...bill.tasks('fargate', taskHours),
    bill.line('publicIpv4Hour', 'Public IPv4 of tasks', taskHours),
  ];
  const freeStandard = Math.min(all.standard, ALWAYS_FREE.sqsRequests);
  const afterFree = lines({
    alarmMetrics: Math.max(0, alarmMetrics - ALWAYS_FREE.alarmMetrics),
    dashboards: Math.max(0, dashboards - ALWAYS_FREE.dashboards),
    standard: all.standard - freeStandard,
    fifo: Math.max(0, all.fifo - (ALWAYS_FREE.sqsRequests - freeStandard)),
  });
  return { idleMonth: lines(all), idleMonthAfterFreeUsd: total(afterFree) };
}
