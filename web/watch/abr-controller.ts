/** The choice of the rung: that of hls.js, changed where a line becomes slow, and fast again. */

import {
  AbrController,
  Events,
  type FragBufferedData,
  type FragLoadedData,
  type FragLoadingData,
  type Fragment,
  PlaylistLevelType,
} from 'hls.js';
import { rungInstead } from './abandoned-load.ts';

const CHECK_MS = 250;

const isMedia = ({ type, sn }: Fragment): boolean =>
  type === PlaylistLevelType.MAIN && sn !== 'initSegment';

export class WatchPageAbr extends AbrController {
  #checking: ReturnType<typeof setInterval> | undefined;

  /**
   * hls.js weighs a measurement by the time of the download. After a slow phase each quick segment of the
   * lowest rung would then count next to nothing, and a better rung come after a minute. Here a segment
   * counts by its duration at least.
   */
  protected override onFragBuffered(event: Events.FRAG_BUFFERED, data: FragBufferedData): void {
    super.onFragBuffered(event, data);
    const { frag, stats } = data;
    if (!isMedia(frag) || stats.aborted) return;
    const waitedMs = Math.min(
      stats.loading.first - stats.loading.start,
      this.bwEstimator.getEstimateTTFB(),
    );
    const tookMs = Math.max(50, stats.parsing.end - stats.loading.start - waitedMs);
    const missingMs = 1000 * frag.duration - tookMs;
    if (missingMs > 0) this.bwEstimator.sample(missingMs, (stats.loaded * missingMs) / tookMs);
  }

  protected override onFragLoading(event: Events.FRAG_LOADING, data: FragLoadingData): void {
    super.onFragLoading(event, data);
    const { frag } = data;
    if (!isMedia(frag)) return;
    clearInterval(this.#checking);
    this.#checking = setInterval(() => this.#abandonIfTooSlow(frag), CHECK_MS);
  }

  protected override onFragLoaded(event: Events.FRAG_LOADED, data: FragLoadedData): void {
    super.onFragLoaded(event, data);
    if (isMedia(data.frag)) clearInterval(this.#checking);
  }

  /** hls.js never gives up a segment of the last rung but one. */
  #abandonIfTooSlow(frag: Fragment): void {
    const { hls } = this;
    const { stats, duration: durationSeconds, level: rung } = frag;
    if (stats.aborted || stats.loading.end > 0) clearInterval(this.#checking);
    const current = hls.levels[rung];
    const isLoading = !stats.aborted && stats.loading.first > 0 && stats.loading.end === 0;
    if (!isLoading || !current || !hls.autoLevelEnabled || hls.media?.paused) return;
    const seconds = (performance.now() - stats.loading.first) / 1000;
    const totalBytes = stats.total || (current.averageBitrate * durationSeconds) / 8;
    const load = { rung, durationSeconds, receivedBytes: stats.loaded, totalBytes, seconds };
    const buffered = hls.mainForwardBufferInfo?.len ?? 0;
    const rates = hls.levels.map(({ averageBitrate }) => averageBitrate);
    const instead = rungInstead(load, buffered, rates);
    const chosen = instead === undefined ? undefined : hls.levels[instead];
    if (instead === undefined || !chosen) return;
    clearInterval(this.#checking);
    // What was measured before counts no more.
    this.resetEstimator(chosen.maxBitrate);
    hls.nextLoadLevel = instead;
    hls.nextAutoLevel = instead;
    frag.abortRequests();
    hls.trigger(Events.FRAG_LOAD_EMERGENCY_ABORTED, { frag, part: null, stats });
  }

  override destroy(): void {
    clearInterval(this.#checking);
    super.destroy();
  }
}
