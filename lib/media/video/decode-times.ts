/** When the frames of a fragment are decoded. Pure. */

/**
 * Decode times of frames in decode order, whose presentation times are given. The first is the earliest
 * presentation less `delayTicks`, so fragments with the same delay abut; no frame is decoded after it is
 * shown. With negative composition offsets instead, as `trun` version 1 allows, demuxers built on libav
 * show the video late against the audio by the largest of them.
 */
export function decodeTimes(presentation: readonly number[], delayTicks: number): number[] {
  const sorted = presentation.toSorted((a, b) => a - b);
  const times: number[] = [];
  let earliest = Number.POSITIVE_INFINITY;
  for (let index = presentation.length - 1; index >= 0; index -= 1) {
    earliest = Math.min(earliest - 1, presentation[index] ?? 0);
    times[index] = Math.min(earliest, (sorted[index] ?? 0) - delayTicks);
  }
  return times;
}
