/** Takes steps of an encoder's clock out of a segment's times. Pure. */

import type { Notice } from '../../domain/notice.ts';
import { TICKS_PER_SECOND, ticksToSeconds } from '../../domain/ticks.ts';
import type { DemuxedAudio, DemuxedFrame, DemuxedSegment } from './demuxed-segment.ts';

/** A shorter pause is a long frame. */
const MIN_STEP_TICKS = 2 * TICKS_PER_SECOND;
/** Cameras that see no change send fewer frames. */
const MIN_STEP_FRAMES = 3;
/** How far apart sound and picture of one moment may lie. */
const INTERLEAVE_TICKS = TICKS_PER_SECOND;
/** Frames are shown at most this much later than others that follow them in decode order. */
const MAX_REORDERED_FRAMES = 16;
/** With more of them there is no clock. */
const MAX_STEPS = 16;
const ONE_FRAME_TICKS = TICKS_PER_SECOND / 25;

/** Times between two jumps, in ticks of the container. */
type Stretch = { minTicks: number; maxTicks: number; indices: number[]; times: number[] };

/** `aheadTicks`: by how much its clock is later than that of the first stretch. */
type Shifted = Stretch & Readonly<{ aheadTicks: number }>;

/**
 * Where the times of the video jump, forward or back, by more than 2 s and more than three times the
 * distance of its frames, all times behind are shifted, so that frames go on at their distance; those
 * of the audio by as much. Where the sound jumps with the picture, more than 2 s is enough. A camera
 * that sent neither picture nor sound for some seconds looks the same, and is treated the same: nobody
 * wants to watch a frozen picture. A gap in the picture alone while the sound goes on is no step, nor
 * is one in the sound alone. Without video the first audio track decides.
 */
export function removeClockSteps(segment: DemuxedSegment): DemuxedSegment {
  const { video, audio, notices } = segment;
  const stretches = video ? shiftVideo(video.frames, audio) : shiftFirstTrack(audio);
  const clocks = [0];
  const found: Notice[] = [];
  for (const { aheadTicks, minTicks } of stretches) {
    const stepTicks = aheadTicks - (clocks.at(-1) ?? 0);
    if (stepTicks === 0) continue;
    clocks.push(aheadTicks);
    found.push(stepNotice(stepTicks, minTicks - aheadTicks - (stretches[0]?.minTicks ?? 0)));
  }
  if (found.length === 0) return segment;
  const frames = video && shiftFrames(video.frames, stretches);
  return {
    ...segment,
    ...(video && frames && { video: { ...video, frames } }),
    audio: audio.map((track) => shiftAudio(track, clocks, frames)),
    clockStepTicks: clocks.at(-1) ?? 0,
    notices: [...notices, ...found],
  };
}

function stepNotice(stepTicks: number, atTicks: number): Notice {
  const seconds = (ticks: number) => `${Math.round(ticksToSeconds(Math.abs(ticks)) * 100) / 100} s`;
  const way = stepTicks > 0 ? 'ahead' : 'back';
  const message = `The encoder's clock steps ${seconds(stepTicks)} ${way}, ${seconds(atTicks)} after the start of the segment; the step is taken out.`;
  return { code: 'clock_step', message };
}

function shiftVideo(frames: readonly DemuxedFrame[], audio: readonly DemuxedAudio[]): Shifted[] {
  const times = frames.map(({ ptsTicks }) => ptsTicks);
  const usual = lowerMedian(distances(times).map(Math.abs)) ?? 0;
  const alone = Math.max(MIN_STEP_TICKS, MIN_STEP_FRAMES * usual);
  const jumps = audio.flatMap(jumpsOf);
  const stretches = splitAtJumps(times, jumps.length > 0 ? MIN_STEP_TICKS : alone, alone);
  const steps = stretches.flatMap((it) => distances(it.times.toSorted((a, b) => a - b)));
  return shiftStretches(
    stretches,
    lowerMedian(steps) ?? ONE_FRAME_TICKS,
    (jumpTicks, before, behind) => {
      const isWide = Math.abs(jumpTicks) > alone;
      if (!isWide && !jumps.some((it) => Math.abs(it - jumpTicks) < INTERLEAVE_TICKS)) return false;
      const from = before.maxTicks + INTERLEAVE_TICKS;
      const to = behind.minTicks - INTERLEAVE_TICKS;
      const isHeard = ({ startTicks }: { startTicks: number }) =>
        startTicks > from && startTicks < to;
      return !audio.some(({ packets }) => packets.some(isHeard));
    },
  );
}

function shiftFirstTrack([track]: readonly DemuxedAudio[]): Shifted[] {
  if (!track) return [];
  const times = track.packets.map(({ startTicks }) => startTicks);
  const stretches = splitAtJumps(times, MIN_STEP_TICKS, MIN_STEP_TICKS);
  return shiftStretches(stretches, packetTicks(track), () => true);
}

/** Times in decode order. After a jump, frames that were reordered may still belong to the stretch before. */
function splitAtJumps(times: readonly number[], forward: number, back: number): Stretch[] {
  const stretches: Stretch[] = [];
  const isOf = ({ maxTicks }: Stretch, ticks: number): boolean =>
    ticks <= maxTicks + forward && ticks >= maxTicks - back;
  for (const [index, ticks] of times.entries()) {
    const current = stretches.at(-1);
    const before = stretches.at(-2);
    const isNear = current && index - (current.indices[0] ?? 0) < MAX_REORDERED_FRAMES;
    const own =
      current && isOf(current, ticks)
        ? current
        : before && isNear && isOf(before, ticks)
          ? before
          : undefined;
    if (!own)
      stretches.push({ minTicks: ticks, maxTicks: ticks, indices: [index], times: [ticks] });
    else {
      own.indices.push(index);
      own.times.push(ticks);
      own.minTicks = Math.min(own.minTicks, ticks);
      own.maxTicks = Math.max(own.maxTicks, ticks);
    }
  }
  return stretches;
}

function shiftStretches(
  stretches: readonly Stretch[],
  stepTicks: number,
  isStep: (jumpTicks: number, before: Stretch, behind: Stretch) => boolean,
): Shifted[] {
  const shifted: Shifted[] = [];
  if (stretches.length > MAX_STEPS) return shifted;
  let aheadTicks = 0;
  let shown: number[] = [];
  for (const [index, stretch] of stretches.entries()) {
    const before = stretches[index - 1];
    const endTicks = (shown.at(-1) ?? 0) + stepTicks;
    const jumpTicks = stretch.minTicks - aheadTicks - endTicks;
    if (before && isStep(jumpTicks, before, stretch)) {
      aheadTicks += jumpTicks;
      aheadTicks += overlapTicks(shown, stretch.times, aheadTicks, stepTicks);
      aheadTicks = Math.round(aheadTicks);
    }
    for (const ticks of stretch.times) shown.push(ticks - aheadTicks);
    shown = shown.sort((a, b) => a - b).slice(-MAX_REORDERED_FRAMES);
    shifted.push({ ...stretch, aheadTicks });
  }
  return shifted;
}

/**
 * Where the clock stepped between frames that are reordered, the first that came under the new clock are
 * shown before the last under the old: by as many frames as make the steps most regular.
 */
function overlapTicks(
  shown: readonly number[],
  times: readonly number[],
  aheadTicks: number,
  stepTicks: number,
): number {
  const first = times.slice(0, MAX_REORDERED_FRAMES).map((ticks) => ticks - aheadTicks);
  const regular = Array.from({ length: MAX_REORDERED_FRAMES }, (_, frames) => {
    const moved = first.map((ticks) => ticks - frames * stepTicks);
    const steps = distances([...shown, ...moved].sort((a, b) => a - b));
    return steps.filter((ticks) => Math.abs(ticks - stepTicks) < stepTicks / 4).length;
  });
  const most = regular.reduce((a, b) => Math.max(a, b));
  return regular.indexOf(most) * stepTicks;
}

/** Containers that say durations count the jump to the last frame in front of it. */
function shiftFrames(
  frames: readonly DemuxedFrame[],
  stretches: readonly Shifted[],
): DemuxedFrame[] {
  const ahead = new Map(
    stretches.flatMap(({ indices, aheadTicks }) => indices.map((index) => [index, aheadTicks])),
  );
  const usual = lowerMedian(frames.flatMap(({ durationTicks }) => durationTicks ?? []));
  return frames.map(({ ptsTicks, durationTicks }, index) => ({
    ptsTicks: ptsTicks - (ahead.get(index) ?? 0),
    ...(durationTicks !== undefined &&
      usual !== undefined && {
        durationTicks: durationTicks > MIN_STEP_TICKS + usual ? usual : durationTicks,
      }),
  }));
}

/**
 * At each jump of the sound, the clock under which it goes on best is taken: the same as before for a
 * gap, a later one for a step. `frames`: of the video, which the first packet is near to.
 */
function shiftAudio(
  track: DemuxedAudio,
  clocks: readonly number[],
  frames: readonly DemuxedFrame[] | undefined,
): DemuxedAudio {
  let clock = 0;
  let endTicks: number | undefined;
  const packets = track.packets.map(({ startTicks, bytes }) => {
    const goesOn =
      endTicks !== undefined &&
      Math.abs(startTicks - (clocks[clock] ?? 0) - endTicks) <= INTERLEAVE_TICKS;
    if (!goesOn) {
      const misses = clocks.map((ahead, index) => {
        if (index < clock) return Infinity;
        const ticks = startTicks - ahead;
        return endTicks === undefined ? distanceTo(frames, ticks) : Math.abs(ticks - endTicks);
      });
      clock = misses.indexOf(misses.reduce((a, b) => Math.min(a, b)));
    }
    const ticks = startTicks - (clocks[clock] ?? 0);
    endTicks = ticks + packetTicks(track);
    return { startTicks: ticks, bytes };
  });
  return { ...track, packets };
}

function distanceTo(frames: readonly DemuxedFrame[] | undefined, ticks: number): number {
  if (!frames) return 0;
  return frames.reduce(
    (least, { ptsTicks }) => Math.min(least, Math.abs(ptsTicks - ticks)),
    Infinity,
  );
}

function jumpsOf(track: DemuxedAudio): number[] {
  const usual = packetTicks(track);
  return distances(track.packets.map(({ startTicks }) => startTicks))
    .map((ticks) => ticks - usual)
    .filter((ticks) => Math.abs(ticks) > MIN_STEP_TICKS - INTERLEAVE_TICKS);
}

const packetTicks = ({ samplesPerPacket, sampleRateHz }: DemuxedAudio): number =>
  (samplesPerPacket * TICKS_PER_SECOND) / sampleRateHz;

const distances = (times: readonly number[]): number[] =>
  times.slice(1).map((ticks, index) => ticks - (times[index] ?? 0));

/** Of two in the middle the smaller: one jump among few distances is not the usual one. */
const lowerMedian = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
