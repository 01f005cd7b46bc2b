/**
 * List prices of services that do the whole work, for the same stream. They differ in what they do:
 * quality, latency, regions, support and free allowances are not compared here.
 */

import { copied, recalled, type Sourced } from './prices.ts';
import type { Scenario } from './scenario.ts';

export type ManagedService = Sourced &
  Readonly<{
    name: string;
    streamHourUsd: (scenario: Scenario) => number;
    viewerHourUsd: (scenario: Scenario) => number;
    storedHourMonthUsd: (scenario: Scenario) => number;
    /** What the functions above are based on. */
    prices: string;
  }>;

const MINUTES = 60;
const HD_ABOVE_PX = 576;

/** Dollars per hour, US East, one pipeline, AVC below 10 Mbit/s and 30 frames a second. */
const MEDIALIVE = { hdInput: 0.294, hdOutput: 0.702, sdOutput: 0.354 };
const CDN_GB = 0.085;
const S3_GB = 0.023;

const gbPerHour = (bps: number): number => (bps / 8) * (3600 / 1e9);

const ladderBps = ({ ladder }: Scenario): number =>
  ladder.reduce((sum, { maxrateBps }) => sum + maxrateBps, 0);

export const MANAGED_SERVICES: readonly ManagedService[] = [
  {
    name: 'AWS MediaLive, S3 and CloudFront',
    streamHourUsd: ({ ladder }) =>
      MEDIALIVE.hdInput +
      ladder.reduce(
        (sum, { shortSidePx }) =>
          sum + (shortSidePx > HD_ABOVE_PX ? MEDIALIVE.hdOutput : MEDIALIVE.sdOutput),
        0,
      ),
    viewerHourUsd: ({ viewerBitrateBps }) => gbPerHour(viewerBitrateBps) * CDN_GB,
    storedHourMonthUsd: (scenario) => gbPerHour(ladderBps(scenario)) * S3_GB,
    prices: 'input HD 0.294, output HD 0.702, output SD 0.354 an hour; 0.085 per GB delivered',
    ...copied(
      'Live Streaming on AWS with Amazon S3, cost example 2',
      'https://docs.aws.amazon.com/solutions/latest/live-streaming-on-aws-with-amazon-s3/cost-example-2.html',
    ),
  },
  {
    name: 'Amazon IVS, standard channel',
    streamHourUsd: () => 2,
    viewerHourUsd: () => 0.075,
    storedHourMonthUsd: (scenario) => gbPerHour(ladderBps(scenario)) * S3_GB,
    prices:
      'input 2.00 an hour; output in HD (720p) 0.075 an hour, North America; recordings in S3',
    ...recalled('Amazon IVS pricing, low-latency streaming', 'https://aws.amazon.com/ivs/pricing/'),
  },
  {
    name: 'Cloudflare Stream',
    streamHourUsd: () => 0,
    viewerHourUsd: () => MINUTES * 0.001,
    storedHourMonthUsd: () => MINUTES * 0.005,
    prices: '5 per 1,000 minutes stored, prepaid; 1 per 1,000 minutes delivered; encoding included',
    ...copied(
      'Cloudflare Stream pricing, as API Evangelist read it',
      'https://developers.cloudflare.com/stream/pricing/',
      '2026-07-11',
    ),
  },
  {
    name: 'Mux Video, plus quality, 1080p',
    streamHourUsd: () => MINUTES * 0.04,
    viewerHourUsd: () => MINUTES * 0.001,
    storedHourMonthUsd: () => MINUTES * 0.003,
    prices:
      'about 0.04 a minute of live input, 0.001 delivered, 0.003 stored; 100,000 minutes delivered free',
    ...recalled('Mux, Understanding Mux Video pricing', 'https://www.mux.com/docs/pricing/video'),
  },
  {
    name: 'Livepeer Studio',
    streamHourUsd: () => 0.33,
    viewerHourUsd: () => 0.03,
    storedHourMonthUsd: () => 0.09,
    prices:
      '0.33 transcoded, 0.09 stored, 0.03 delivered, for 60 minutes each, beyond a monthly plan',
    ...recalled('Livepeer Studio pricing', 'https://livepeer.studio/pricing', '2024-12'),
  },
];
