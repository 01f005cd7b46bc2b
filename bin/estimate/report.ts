/** The estimate as text for a terminal, or as Markdown for a README. */

import { type CostLine, type Costs, type Facts, ROLES, type Role, total } from './costs.ts';
import type { ManagedService } from './managed-services.ts';
import { perRun } from './meter.ts';
import type { PriceList, Sourced } from './prices.ts';
import type { Scenario } from './scenario.ts';

export type Estimate = Readonly<{
  scenario: Scenario;
  facts: Facts;
  costs: Costs;
  prices: PriceList;
  services: readonly ManagedService[];
  /** Whether the CPU seconds were measured here, and not given. */
  measuredCpu: boolean;
}>;

type Table = Readonly<{
  title: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
}>;

const DAYS_PER_MONTH = 365 / 12;

/** With three significant digits. */
export function dollars(usd: number): string {
  if (usd === 0) return '$0';
  const digits = Math.max(2, 2 - Math.floor(Math.log10(usd)));
  return `$${usd.toFixed(Math.min(7, digits))}`;
}

export function amount(count: number): string {
  if (count === 0 || count >= 100) return Math.round(count).toLocaleString('en-US');
  return String(Number(count.toPrecision(3)));
}

export function report(estimate: Estimate, markdown: boolean): string {
  const render = markdown ? markdownTable : textTable;
  const parts = [
    scenarioText(estimate),
    render(summary(estimate)),
    ...costTables(estimate).map(render),
    render(operations(estimate)),
    render(comparison(estimate)),
    sources(estimate, markdown),
    assumptions(estimate, markdown),
  ];
  return `${parts.join('\n\n')}\n`;
}

function scenarioText({ scenario, costs, facts, measuredCpu }: Estimate): string {
  const { ladder, bitrateBps, segmentSeconds, viewers, viewerBitrateBps } = scenario;
  const { architecture, streams, hours, taskVcpu, taskGb, region, languages } = scenario;
  const rungs = ladder.map(({ name }) => name).join(', ');
  return [
    `${streams} stream${streams > 1 ? 's' : ''} of ${hours} h at ${mega(bitrateBps)} Mbit/s in segments of ${segmentSeconds} s, made into ${rungs} with ${languages} language${languages === 1 ? '' : 's'}; ${viewers} viewers each at ${mega(viewerBitrateBps)} Mbit/s.`,
    `List prices of ${region} in US dollars, without free allowances; ${costs.tasks} Fargate task${costs.tasks > 1 ? 's' : ''} (${architecture}, ${taskVcpu} vCPU, ${taskGb} GB); ${facts.cpuSecondsPerMediaSecond.toFixed(2)} CPU seconds for a second of media${measuredCpu ? ', measured here' : ', as given'}.`,
  ].join('\n');
}

const mega = (bps: number): string => amount(bps / 1e6);

function summary({ scenario, costs }: Estimate): Table {
  const { retentionDays, viewers } = scenario;
  const { streamHour, viewerHour, storedHour, idleMonth, idleMonthAfterFreeUsd } = costs;
  const stored = total(storedHour);
  const audience = viewers * total(viewerHour);
  const kept = (stored * retentionDays) / DAYS_PER_MONTH;
  return {
    title: 'What it costs',
    head: ['', 'cost'],
    rows: Object.entries({
      'one hour of one stream, without viewers': total(streamHour),
      'one hour of one viewer': total(viewerHour),
      [`one hour of one stream with ${viewers} viewers`]: total(streamHour) + audience,
      'one recorded hour, kept for a month': stored,
      [`one recorded hour, kept for ${retentionDays} days`]: kept,
      'one month in which nobody streams': total(idleMonth),
      "the same after AWS's monthly free allowances": idleMonthAfterFreeUsd,
    }).map(([what, usd]) => [what, dollars(usd)]),
  };
}

const costTables = ({ costs }: Estimate): Table[] => [
  costTable('One hour of one stream', costs.streamHour),
  costTable('One hour of one viewer', costs.viewerHour),
  costTable('One recorded hour, kept for a month', costs.storedHour),
  costTable('One month in which nobody streams', costs.idleMonth),
];

const costTable = (title: string, lines: readonly CostLine[]): Table => ({
  title,
  head: ['driver', 'count', 'unit', 'cost'],
  rows: [
    ...lines
      .filter(({ count }) => count > 0)
      .map(({ driver, count, unit, usd }) => [driver, amount(count), unit, dollars(usd)]),
    ['sum', '', '', dollars(total(lines))],
  ],
});

const operations = ({ facts }: Estimate): Table => ({
  title: 'Operations of each step, measured in the run',
  head: [
    ...['step', 'S3 PUT', 'S3 GET', 'write units', 'read units'],
    ...['SQS', 'SQS FIFO', 'bytes of new items', 'CPU ms'],
  ],
  rows: (Object.keys(facts.work) as Role[]).map((role) => {
    const { usage, cpuMs } = perRun(facts.work[role]);
    return [
      ROLES[role],
      ...[usage.mediaPuts, usage.mediaGets, usage.writeUnits, usage.readUnits].map(amount),
      ...[usage.standardRequests, usage.fifoRequests, usage.newItemBytes].map(amount),
      role === 'transcode' ? 'see above' : amount(cpuMs),
    ];
  }),
});

const comparison = ({ scenario, costs, services }: Estimate): Table => ({
  title: 'Compared with list prices of managed services',
  head: [
    '',
    'stream-hour',
    'viewer-hour',
    'stored hour-month',
    `hour with ${scenario.viewers} viewers`,
  ],
  rows: [
    [
      'Rivulet on AWS',
      ...[costs.streamHour, costs.viewerHour, costs.storedHour].map(total),
    ] as const,
    ...services.map(
      ({ name, basis, ...service }) =>
        [
          basis === 'copy' ? name : `${name} (not verified)`,
          service.streamHourUsd(scenario),
          service.viewerHourUsd(scenario),
          service.storedHourMonthUsd(scenario),
        ] as const,
    ),
  ].map(([name, stream = 0, viewer = 0, stored = 0]) => [
    name,
    ...[stream, viewer, stored, stream + scenario.viewers * viewer].map(dollars),
  ]),
});

function sources({ prices, services }: Estimate, markdown: boolean): string {
  const pages = Map.groupBy(
    [
      ...Object.values(prices).map((price) => ({
        ...price,
        says: `$${price.usd} per ${price.per}`,
      })),
      ...services.map((service) => ({ ...service, says: service.prices })),
    ],
    (sourced) => sourceText(sourced, markdown),
  );
  return [
    heading('Where the prices come from', markdown),
    ...[...pages].map(([text, all]) => `- ${text}: ${all.map(({ says }) => says).join('; ')}`),
  ].join('\n');
}

function sourceText({ source, url, asOf, basis }: Sourced, markdown: boolean): string {
  const page = markdown ? `[${source}](${url})` : `${source} <${url}>`;
  return `${page}, as of ${asOf}${basis === 'copy' ? '' : ', not verified'}`;
}

const assumptions = ({ scenario }: Estimate, markdown: boolean): string =>
  [
    heading('What is assumed', markdown),
    `- One CPU second here is ${scenario.vcpuFactor} vCPU seconds on Fargate and Lambda (--vcpu-factor); this was not measured on AWS.`,
    `- A function waits ${scenario.callMs} ms for each call, one after the other (--call-ms), an upper bound; cold starts are left out. The functions' CPU time was measured with small segments.`,
    '- A job that takes longer than five seconds sends one more request to its queue for each five of them; those are left out.',
    '- A task is billed from its start, a minute before it takes jobs, until five minutes after its last one.',
    `- Viewers fetch every segment and playlist once; ${scenario.edges} CDN caches request each playlist from the origin once a second (--edges).`,
    '- Stored renditions are as large as their maximum rates allow. Segments of up to 4.5 MB are uploaded through the function, larger ones presigned, with about as many requests.',
    '- Lambda keeps five polls of 20 s on each queue; 9 custom metrics and 30 of Container Insights are billed in hours with a stream; 1.5 KB of logs per call, 0.5 KB for a playlist.',
    '- Left out: access logs, taxes, support, Origin Shield, a domain, traffic beyond the first tiers.',
  ].join('\n');

const heading = (title: string, markdown: boolean): string => (markdown ? `### ${title}\n` : title);

function markdownTable({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (isNumeric(rows, column) ? '--:' : '---'));
  return [heading(title, true), line(head), line(rule), ...rows.map(line)].join('\n');
}

function textTable({ title, head, rows }: Table): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumeric(rows, column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [title, ...[head, ...rows].map((row) => `  ${line(row)}`)].join('\n');
}

const isNumeric = (rows: readonly (readonly string[])[], column: number): boolean =>
  column > 0 && rows.every((row) => /^(?:\$?[\d.,]*|see above)$/.test(row[column] ?? ''));
