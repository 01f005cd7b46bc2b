/** Settings of hls.js that differ from its defaults, each with its reason. */

import type { HlsConfig, RetryConfig } from 'hls.js';

/**
 * A few quick tries: then the page asks the server what is the matter, says so, and goes on. Status 0
 * (refused, cut, unreachable) is worth a retry too; hls.js gives up at once.
 */
const retry = (maxNumRetry: number): RetryConfig => ({
  maxNumRetry,
  retryDelayMs: 500,
  maxRetryDelayMs: 4000,
  shouldRetry: (config, count, isTimeout, response, wouldRetry) =>
    wouldRetry || (!!config && count < config.maxNumRetry && (isTimeout || response?.code === 0)),
});

const policy = (maxTimeToFirstByteMs: number, maxLoadTimeMs: number, retries: number) => ({
  default: {
    maxTimeToFirstByteMs,
    maxLoadTimeMs,
    timeoutRetry: retry(retries),
    errorRetry: retry(retries),
  },
});

/** A guess until the first segments were measured: what the browser knows of its link, within reason. */
export const startingEstimateBps = (downlinkMbps: number | undefined): number =>
  Math.min(5e6, Math.max(5e5, (downlinkMbps ?? 2.5) * 1e6 * 0.8));

export function hlsSettings(
  workerPath: string,
  downlinkMbps: number | undefined,
): Partial<HlsConfig> {
  return {
    // The bundled worker is a blob made from source text; a file of ours needs no such permission.
    workerPath,
    // No parts in our playlists. Catching up at the edge is done by the page (live-edge.ts).
    lowLatencyMode: false,
    // We write none; their controller sets positions of its own, against ours.
    enableInterstitialPlayback: false,
    // Players show a DVR window instead of a duration that grows.
    liveDurationInfinity: true,
    // Going back a little is instant; long streams do not fill the memory.
    backBufferLength: 60,
    maxBufferLength: 30,
    maxMaxBufferLength: 120,
    // A rung that is taller than its place on the screen costs bytes and shows nothing.
    capLevelToPlayerSize: true,
    abrEwmaDefaultEstimate: startingEstimateBps(downlinkMbps),
    // A rung that failed once is tried again; the viewer's choice of a rung outlives an error.
    errorPenaltyExpireMs: 30_000,
    preserveManualLevelOnError: true,
    manifestLoadPolicy: policy(10_000, 20_000, 2),
    playlistLoadPolicy: policy(8000, 15_000, 2),
    fragLoadPolicy: policy(10_000, 60_000, 3),
    // liveSyncDuration(Count) stays unset: then the playlist's own HOLD-BACK counts.
  };
}

/** Target durations behind the newest segment at which a viewer who follows live skips ahead. */
export const MAX_FOLLOWING_DELAY_TARGETS = 10;
