/**
 * Which packets of Opus are a segment's, and what an encoder needs to make them. Packets are counted from
 * time zero of the timeline, 20 ms each, so segments that were encoded apart share them out. Pure.
 */

import { TICKS_PER_SECOND } from './ticks.ts';

/** Opus decodes at this rate, whatever its source had (RFC 7845, 3). */
export const OPUS_RATE_HZ = 48_000;
const PACKET_SECONDS = 0.02;
export const OPUS_PACKET_SAMPLES = OPUS_RATE_HZ * PACKET_SECONDS;
export const OPUS_PACKET_TICKS = TICKS_PER_SECOND * PACKET_SECONDS;

/** By which libopus is late: of an encoder's first packet so many samples come before its first input. */
export const OPUS_DELAY_SAMPLES = 312;

/** Packets before a segment, after which the start of an encoder there is no longer audible: 8 were too few. */
const CONTEXT_PACKETS = 16;

export type OpusPlan = Readonly<{
  /** Of the source, so that what is left begins at a whole sample of Opus. */
  dropSourceSamples: number;
  /** Of what is left, resampled; negative: so much silence goes in front. */
  dropSamples: number;
  /** The encoder is fed so many samples from there, with silence where the source ends before. */
  feedSamples: number;
  /** Of the packets that it gives: the first that is the segment's, and how many are. */
  firstPacket: number;
  packets: number;
  /** Where that first one begins. */
  startTicks: number;
}>;

/**
 * A packet is a segment's if its middle lies between the bounds. `sourceSample`: the first decoded one, from
 * time zero, at `sourceRateHz`.
 */
export function planOpus(
  bounds: Readonly<{ startTicks: number; endTicks: number }>,
  sourceSample: number,
  sourceRateHz: number,
): OpusPlan {
  const packetAt = (ticks: number): number => Math.round(ticks / OPUS_PACKET_TICKS);
  const first = packetAt(bounds.startTicks);
  const packets = Math.max(1, packetAt(bounds.endTicks) - first);
  // So many samples of the source last a whole number of samples of Opus.
  const unit = sourceRateHz / commonDivisor(sourceRateHz, OPUS_RATE_HZ);
  const dropSourceSamples = (unit - (sourceSample % unit)) % unit;
  const from = ((sourceSample + dropSourceSamples) / sourceRateHz) * OPUS_RATE_HZ;
  const room = first * OPUS_PACKET_SAMPLES + OPUS_DELAY_SAMPLES - Math.round(from);
  const context = Math.max(0, Math.min(CONTEXT_PACKETS, Math.floor(room / OPUS_PACKET_SAMPLES)));
  return {
    dropSourceSamples,
    dropSamples: room - context * OPUS_PACKET_SAMPLES,
    feedSamples: (context + packets) * OPUS_PACKET_SAMPLES,
    firstPacket: context,
    packets,
    startTicks: first * OPUS_PACKET_TICKS,
  };
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));
