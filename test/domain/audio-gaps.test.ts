import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { audioEndsOf, audioGapsOf } from '../../lib/domain/audio-gaps.ts';
import { pieceLister } from '../../lib/domain/presentation.ts';
import { RecordingBuilder } from '../../lib/domain/recording.ts';
import type { RenderedOutcome } from '../../lib/domain/segment.ts';
import { EMPTY_TIMELINE, type Pieces, type RenditionInfo } from '../../lib/domain/timeline.ts';
import { TimelineDraft } from '../../lib/domain/timeline-draft.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { segmentOf } from '../../lib/pipeline/view/listed-segment.ts';
import { formatSegment } from '../../lib/playlist/hls-media.ts';

const SECOND = 90_000;
const TARGET_SECONDS = 2;
const START_MS = Date.parse('2026-01-01T00:00:00Z');

const file = (name: string) => ({ key: name, initKey: 'init', sizeBytes: 1000 });

/** Two seconds of video from `2 × number` on; the audio of each begins and ends 1000 ticks earlier. */
const piecesAt = (number: number, audioEarlyTicks = 1000): Pieces => ({
  '360p': file(`360p-${number}`),
  audio: {
    ...file(`audio-${number}`),
    startTicks: 2 * number * SECOND - audioEarlyTicks,
    durationTicks: 2 * SECOND,
  },
});

describe('a gap in an audio rendition', () => {
  const gap = { startTicks: 2 * SECOND, durationTicks: 2 * SECOND, isFirst: true, isLast: true };

  test('lies between its own pieces', () => {
    const gaps = audioGapsOf(gap, { audio: 179_000 }, piecesAt(2, 900));
    assert.deepEqual(gaps, { audio: { startTicks: 179_000, durationTicks: 359_100 - 179_000 } });
  });

  test('meets the gap beside it where the video does', () => {
    const first = audioGapsOf({ ...gap, isLast: false }, { audio: 179_000 }, piecesAt(3));
    assert.deepEqual(first, { audio: { startTicks: 179_000, durationTicks: 181_000 } });
    const last = audioGapsOf({ ...gap, isFirst: false }, { audio: 1000 }, piecesAt(2));
    assert.deepEqual(last, { audio: { startTicks: 180_000, durationTicks: 179_000 } });
  });

  for (const [why, endsBefore, after] of [
    ['has no piece behind it', { audio: 179_000 }, {}],
    ['had none before', {}, piecesAt(2)],
    ['has pieces that lie elsewhere', { audio: 20 * SECOND }, piecesAt(2)],
    ['says no times of its own', { '360p': 180_000 }, piecesAt(2)],
  ] as const) {
    test(`is that of the video when the rendition ${why}`, () => {
      assert.equal(audioGapsOf(gap, endsBefore, after), undefined);
    });
  }

  test('is known from pieces that have times of their own', () => {
    assert.deepEqual(audioEndsOf(piecesAt(1)), { audio: 4 * SECOND - 1000 });
  });
});

const AUDIO: RenditionInfo = {
  ...{ kind: 'audio', codecString: 'mp4a.40.2' },
  ...{ channels: 2, sampleRateHz: 48_000, language: 'und' },
};
const VIDEO: RenditionInfo = {
  ...{ kind: 'video', codecString: 'avc1.64001f' },
  ...{ widthPx: 640, heightPx: 360, framesPerSecond: 25 },
};

const outcome = (number: number): RenderedOutcome => ({
  type: 'rendered',
  ...{ run: 1, number, startTicks: 2 * number * SECOND, durationTicks: 2 * SECOND },
  renditions: piecesAt(number),
  catalogue: { '360p': VIDEO, audio: AUDIO },
  ...{ uploadedAtMs: START_MS, completedAtMs: START_MS },
});

const EXPECTED = [
  { startTicks: 2 * SECOND - 1000, durationTicks: 2 * SECOND + 1000 },
  { startTicks: 4 * SECOND, durationTicks: 2 * SECOND - 1000 },
];

test('gaps of the timeline say where the audio goes on', () => {
  const run = { run: 1, anchorTicks: 0, anchorMs: START_MS };
  const draft = new TimelineDraft(EMPTY_TIMELINE, run, TARGET_SECONDS, START_MS);
  draft.append(outcome(0));
  assert.ok(draft.appendGap(1, outcome(3), 10));
  draft.append(outcome(3));
  const gaps = draft.entries.map(({ audioGaps }) => audioGaps);
  assert.deepEqual(gaps, [undefined, { audio: EXPECTED[0] }, { audio: EXPECTED[1] }, undefined]);
});

test('the audio playlist goes on without a step over a gap', () => {
  const run = { run: 1, anchorTicks: 0, anchorMs: START_MS };
  const draft = new TimelineDraft(EMPTY_TIMELINE, run, TARGET_SECONDS, START_MS);
  draft.append(outcome(0));
  draft.appendGap(1, outcome(2), 10);
  draft.append(outcome(2));
  const stream = newStream('show', START_MS);
  const listPiece = pieceLister(draft.state, 'audio', () => 'silence');
  const lines = draft.entries.map((entry) =>
    formatSegment(segmentOf(stream, entry, listPiece(entry)), '/init').replace(
      /\/media\/.*gap/,
      'gap',
    ),
  );
  assert.equal(
    lines.join(''),
    `#EXT-X-PROGRAM-DATE-TIME:2025-12-31T23:59:59.989Z
#EXTINF:2,
/audio-0
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:01.989Z
#EXT-X-GAP
#EXTINF:2,
gap/1-1-180000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:03.989Z
#EXTINF:2,
/audio-2
`,
  );
});

test('gaps of the recording that late segments leave say it too', () => {
  const run = { run: 1, anchorTicks: 0, anchorMs: START_MS };
  const draft = new TimelineDraft(EMPTY_TIMELINE, run, TARGET_SECONDS, START_MS);
  draft.append(outcome(0));
  draft.appendGap(1, outcome(5), 10);
  draft.append(outcome(5));
  const late = { ...outcome(3), programDateTimeMs: START_MS + 6000 };
  const builder = new RecordingBuilder([late], TARGET_SECONDS * SECOND);
  const entries = draft.entries.flatMap((entry) => builder.add(entry));
  const gaps = entries.map(({ audioGaps }) => audioGaps?.audio);
  const last = { startTicks: 8 * SECOND - 1000, durationTicks: 2 * SECOND };
  assert.deepEqual(gaps, [undefined, ...EXPECTED, undefined, last, undefined]);
});
