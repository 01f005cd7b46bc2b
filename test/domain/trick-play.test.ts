import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presentationOf } from '../../lib/domain/presentation.ts';
import type { RenditionTotals } from '../../lib/domain/timeline.ts';

const TEN_SECONDS = 900_000;

const video = (heightPx: number, bps: number, codecString = 'avc1.64001f'): RenditionTotals => ({
  info: { kind: 'video', codecString, widthPx: (heightPx * 16) / 9, heightPx, framesPerSecond: 30 },
  initKey: `init-${heightPx}`,
  peakBps: bps + 50_000,
  sizeBytes: (bps * 10) / 8,
  durationTicks: TEN_SECONDS,
});

const SMALL = video(360, 700_000, 'avc1.64001e');

describe('keyframes and thumbnails of a presentation', () => {
  const keyframes = { peakBps: 200_000, sizeBytes: 100_000, durationTicks: TEN_SECONDS };
  const tall = { ...video(720, 2_500_000), keyframes, maxrateBps: 2_500_000 };
  const thumbnails = { ...keyframes, peakBps: 30_000, widthPx: 240, heightPx: 134 };
  const state = {
    renditions: { '720p': tall, '360p': SMALL },
    ...{ thumbnails, targetDurationSeconds: 4 },
  };
  const peaks = (more: object) => {
    const made = presentationOf({ ...state, ...more });
    return [...made.keyframes, made.thumbnails].map((one) => one?.peakBps);
  };

  test('are those of the renditions whose entries have recorded them', () => {
    assert.deepEqual(presentationOf({ ...state, endedAtMs: 1 }).keyframes, [
      {
        ...{ rendition: '720p', codecString: 'avc1.64001f', widthPx: 1280, heightPx: 720 },
        ...{ peakBps: 200_000, averageBps: 80_000 },
      },
    ]);
    assert.equal(presentationOf({ renditions: { '360p': SMALL } }).thumbnails, undefined);
  });

  test('have the rates that were measured once the stream has ended, and before what may come', () => {
    assert.deepEqual(peaks({ endedAtMs: 1 }), [200_000, 30_000]);
    // Half a second of the encoder's limit in each two seconds, with the index of 30 frames a second.
    assert.deepEqual(peaks({}), [625_000 + 600 + 2880, 60_000]);
    const dear = { ...tall, keyframes: { ...keyframes, peakBps: 900_000 } };
    assert.deepEqual(peaks({ renditions: { '720p': dear } }), [900_000, 60_000]);
  });
});
