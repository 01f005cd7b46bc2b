/** When the frames of a fragment are decoded. Pure. */

/**
 * Decode times of frames in decode order, whose presentation times are given, from the first presentation
 * up to `endTicks`. The first frame is decoded when it is shown, and none later than that: no composition
 * offset is negative, which demuxers built on libav turn into a delay against the audio, and a segment's
 * decode time (`tfdt`) is that of its first picture, as players take it to be. Frames that others need
 * before their turn are decoded early, as many at once as are reordered; no frame lasts beyond `endTicks`.
 */
export function decodeTimes(presentation: readonly number[], endTicks: number): number[] {
  const sorted = presentation.toSorted((a, b) => a - b);
  const [startTicks = 0] = sorted;
  const latest = latestTimes(presentation);
  // How many frames ahead of the regular pace keeps every frame in time.
  let lead = 0;
  let shownBy = 0;
  for (const [index, time] of latest.entries()) {
    while ((sorted[shownBy + 1] ?? Number.POSITIVE_INFINITY) <= time) shownBy += 1;
    lead = Math.max(lead, index - shownBy);
  }
  const times = presentation.map((_, index) => {
    const paced = sorted[index - lead];
    if (paced !== undefined && index > lead) return paced;
    // Evenly before the regular pace begins.
    const first = sorted[1] ?? endTicks;
    return startTicks + Math.floor(((first - startTicks) * index) / (lead + 1));
  });
  for (let index = times.length - 1; index >= 0; index -= 1) {
    const next = times[index + 1] ?? endTicks;
    // It lasts until the next one is decoded: from when it is shown, that is to be within the segment.
    const earliest = next - (endTicks - (presentation[index] ?? 0));
    const paced = Math.max(earliest, Math.min(times[index] ?? 0, next - 1));
    times[index] = Math.min(paced, latest[index] ?? 0);
  }
  return times;
}

/** Each frame before all that follow it, and none after it is shown. */
function latestTimes(presentation: readonly number[]): number[] {
  const times = [...presentation];
  for (let index = times.length - 2; index >= 0; index -= 1) {
    times[index] = Math.min(times[index] ?? 0, (times[index + 1] ?? 0) - 1);
  }
  return times;
}
