/**
 * The options of a deployment, given by `-c NAME=VALUE` or in cdk.json. All have a default; the table
 * below gives the reasons.
 */

import { z } from 'zod';
import { ladderSchema } from '../api/stream-settings.ts';
import { ConfigError } from '../base/environment.ts';
import { DEFAULT_LADDER, type Rung } from '../domain/ladder.ts';

const wholeNumber = (min: number, max: number) => {
  const expected = `a whole number from ${min} to ${max}`;
  return z.coerce.number(expected).int(expected).min(min, expected).max(max, expected);
};

const LADDER_FORM = 'rungs as NAME:HEIGHT:BITS, as in 720p:720:2500000,360p:360:700000';

/** The same ladders as the API takes. */
function parseLadder(text: string, context: z.RefinementCtx): readonly Rung[] {
  const rungs = text.split(',').map((one) => one.split(':'));
  const parsed = ladderSchema.safeParse(
    rungs.map(([name, shortSidePx, maxrateBps, ...more]) => ({
      name,
      shortSidePx: Number(shortSidePx),
      maxrateBps: Number(maxrateBps),
      ...(more.length > 0 && { more }),
    })),
  );
  if (parsed.success) return parsed.data;
  // What is refused of the ladder as a whole has a message that says why.
  const reasons = parsed.error.issues.flatMap(({ code, message }) =>
    code === 'custom' ? [message] : [],
  );
  context.addIssue({ code: 'custom', message: [LADDER_FORM, ...reasons].join('; ') });
  return z.NEVER;
}

/**
 * CPU units of Fargate, and the gigabytes that go with each. Below 1 vCPU Fargate has less than
 * `leastTaskMemory`: one that runs out of memory loses the live jobs with the others.
 */
export const TASK_SIZES: Readonly<
  Record<number, readonly [from: number, to: number, step: number]>
> = {
  512: [2, 4, 1],
  1024: [2, 8, 1],
  2048: [4, 16, 1],
  4096: [8, 30, 1],
  8192: [16, 60, 4],
  16384: [32, 120, 8],
};

const fitsTask = ({ taskCpu, taskMemory }: { taskCpu: number; taskMemory: number }): boolean => {
  const [from, to, step] = TASK_SIZES[taskCpu] ?? [1, 0, 1];
  const gigabytes = taskMemory / 1024;
  return gigabytes >= from && gigabytes <= to && (gigabytes - from) % step === 0;
};

const schema = z
  .strictObject({
    /** Part of every name: stages in one account share nothing. */
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,15}$/, 'up to 16 small letters, digits and "-"')
      .default('dev'),

    /** Host name of the CDN. Default: none, CloudFront's own name serves as well. */
    domain: z
      .string()
      .regex(/^(?:[a-z0-9-]+\.)+[a-z]{2,}$/, 'a host name, as live.example.com')
      .optional(),
    /** Of the domain. CloudFront takes certificates of us-east-1 alone. */
    certificateArn: z
      .string()
      .regex(
        /^arn:aws:acm:us-east-1:\d{12}:certificate\/.+$/,
        'the ARN of a certificate in us-east-1',
      )
      .optional(),
    /** Default: the cheapest, North America and Europe; viewers elsewhere are served from there. */
    priceClass: z
      .enum(['100', '200', 'all'], '100, 200 or all, as CloudFront numbers its price classes')
      .default('100'),
    /** Default: none. It is worth its price with viewers on several continents. */
    originShieldRegion: z
      .string()
      .regex(/^[a-z]{2}-[a-z]+-\d$/, 'a region, as eu-central-1')
      .optional(),

    /** Days that recordings of a new stream are kept. Default: 0, until it is deleted; none is lost by a default. */
    retentionDays: wholeNumber(0, 3650).default(0),
    /** How far back live viewers of a new stream can go. Default: two hours; 0: the live edge alone. */
    dvrWindowSeconds: wholeNumber(0, 31_536_000).default(7200),
    /** Of streams whose owner sets none. Default: 1080p, 720p, 480p, 360p. */
    ladder: z.string(LADDER_FORM).transform(parseLadder).optional(),

    /** `none`: static workers, or an emulator without ECS. */
    workers: z.enum(['fargate', 'none'], 'fargate or none').default('fargate'),
    /** CPU units. Default: 2 vCPU; two cores of a Xeon take 41 s for a minute of 1080p30 in the default ladder. */
    taskCpu: wholeNumber(512, 16_384).default(2048),
    /** MiB. Default: the least that Fargate gives with 2 vCPU; two jobs need a third of it. */
    taskMemory: wholeNumber(1024, 122_880).default(4096),
    /** Default: nothing runs, and nothing is paid, while nobody streams. 1: no cold start, some $58 a month. */
    minTasks: wholeNumber(0, 100).default(0),
    /** What a mistake or an attack can cost at most. Default: ten tasks, about $0.80 an hour. */
    maxTasks: wholeNumber(1, 500).default(10),
    /** Of the tasks after the first, which is never on Spot: a single stream is not interrupted. */
    spotPercent: wholeNumber(0, 100).default(70),
    /** Of tasks and functions. Default: a fifth cheaper than x86_64. */
    architecture: z.enum(['arm64', 'x86_64'], 'arm64 or x86_64').default('arm64'),
    /** Image in a registry. Default: the deploy builds it from `containers/`, with Docker or podman. */
    containerImage: z
      .string()
      .regex(
        /^[\w.-]+(?::\d+)?(?:\/[\w.-]+)+(?::[\w.-]+|@sha256:[0-9a-f]{64})$/,
        'HOST/NAME:TAG or …@sha256:…',
      )
      .optional(),

    /** Address that receives alarms. Default: none; the dashboard shows them. */
    alarmEmail: z.email('an e-mail address').optional(),
  })
  .refine(
    ({ domain, certificateArn }) => (domain === undefined) === (certificateArn === undefined),
    { path: ['certificateArn'], error: 'together with domain, or neither' },
  )
  .refine(fitsTask, {
    path: ['taskMemory'],
    error: 'MiB that Fargate offers with this taskCpu, 2048 or more',
  })
  .refine(({ minTasks, maxTasks }) => minTasks <= maxTasks, {
    path: ['maxTasks'],
    error: 'at least minTasks',
  });

export type DeploymentOptions = Readonly<Omit<z.output<typeof schema>, 'ladder'>> &
  Readonly<{ ladder: readonly Rung[] }>;

/** Context of the CDK itself: feature flags and results of its lookups. */
const isForeign = (name: string): boolean => /[:@]/.test(name) || name.startsWith('aws-cdk');

/** Throws ConfigError, which names every option that is wrong. */
export function deploymentOptions(context: Readonly<Record<string, unknown>>): DeploymentOptions {
  const given = Object.fromEntries(
    Object.entries(context).filter(([name, value]) => !isForeign(name) && value !== ''),
  );
  const { data, error } = schema.safeParse(given);
  if (data) return { ...data, ladder: data.ladder ?? DEFAULT_LADDER };
  throw new ConfigError(
    (error?.issues ?? []).flatMap((issue) => {
      if (issue.code === 'unrecognized_keys') return issue.keys.map(unknownOption);
      const name = String(issue.path[0]);
      const value = name in given ? JSON.stringify(given[name]) : 'not given';
      return [`Option ${name} is ${value}; expected: ${issue.message}.`];
    }),
  );
}

const unknownOption = (name: string): string =>
  `There is no option ${name}; there are ${Object.keys(schema.shape).join(', ')}.`;
