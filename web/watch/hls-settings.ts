/** Settings of hls.js that differ from its defaults, each with its reason. */

import type { HlsConfig, RetryConfig } from 'hls.js';
import { WatchPageAbr } from './abr-controller.ts';

/**
 * Few and quick retries: after them the page asks the API for the stream's state and shows it. Status 0
 * (refused, reset, unreachable) is retried too; hls.js gives up at once.
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

/** The bandwidth estimate until segments were measured: 80 % of the browser's own, 0.5 to 5 Mbit/s. */
export const startingEstimateBps = (downlinkMbps: number | undefined): number =>
  Math.min(5e6, Math.max(5e5, (downlinkMbps ?? 2.5) * 1e6 * 0.8));

export function hlsSettings(
  workerPath: string,
  downlinkMbps: number | undefined,
): Partial<HlsConfig> {
  return {
    // The worker that hls.js bundles is a blob made from source text; a file suits a stricter CSP.
    workerPath,
    // The playlists have no parts. The page itself catches up at the edge (live-edge.ts).
    lowLatencyMode: false,
    // The playlists have none, and their controller would set positions against the page's.
    enableInterstitialPlayback: false,
    // Makes media-chrome show a DVR window instead of a duration that grows.
    liveDurationInfinity: true,
    // Closed captions in the video come as a track of their own, too.
    enableCEA708Captions: false,
    // A short rewind is instant; a long stream does not fill the memory.
    backBufferLength: 60,
    maxBufferLength: 30,
    maxMaxBufferLength: 120,
    // A rung that is taller than the player costs bytes and shows nothing.
    capLevelToPlayerSize: true,
    abrEwmaDefaultEstimate: startingEstimateBps(downlinkMbps),
    abrController: WatchPageAbr,
    // Half lives in seconds of playback (abr-controller.ts).
    abrEwmaFastLive: 2,
    abrEwmaSlowLive: 4,
    abrEwmaFastVoD: 2,
    abrEwmaSlowVoD: 4,
    // A rung that failed once is tried again; the viewer's choice of a rung outlives an error.
    errorPenaltyExpireMs: 30_000,
    preserveManualLevelOnError: true,
    manifestLoadPolicy: policy(10_000, 20_000, 2),
    playlistLoadPolicy: policy(8000, 15_000, 2),
    fragLoadPolicy: policy(10_000, 60_000, 3),
    // liveSyncDuration(Count) stays unset: then the playlist's own HOLD-BACK counts.
    // liveMaxLatencyDuration(Count) too: a playlist that arrives between the viewer's rewind and its
    // `seeking` event would make hls.js skip ahead; the page does that itself (live-edge.ts).
  };
}
