import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { removeClockSteps } from '../../lib/media/demux/clock-steps.ts';
import type { DemuxedSegment } from '../../lib/media/demux/demuxed-segment.ts';

/** Times in seconds; audio packets of a tenth of a second. */
function segmentOf(video: readonly number[] | undefined, ...audio: readonly (readonly number[])[]) {
  const ticks = (seconds: number) => Math.round(seconds * 90_000);
  return {
    container: 'ts',
    ...(video && { video: { frames: video.map((time) => ({ ptsTicks: ticks(time) })) } }),
    audio: audio.map((times) => ({
      samplesPerPacket: 800,
      sampleRateHz: 8000,
      packets: times.map((time) => ({ startTicks: ticks(time), bytes: new Uint8Array(1) })),
    })),
    notices: [],
  } as unknown as DemuxedSegment;
}

const secondsOf = (ticks: number) => Math.round(ticks / 900) / 100;

function removed(segment: DemuxedSegment) {
  const { video, audio, clockStepTicks, notices } = removeClockSteps(segment);
  return {
    step: secondsOf(clockStepTicks ?? 0),
    video: video?.frames.map(({ ptsTicks }) => secondsOf(ptsTicks)),
    audio: audio.map(({ packets }) => packets.map(({ startTicks }) => secondsOf(startTicks))),
    notices: notices.map(({ message }) => message),
  };
}

/** `count` times from a start on. */
const every = (step: number, from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => Math.round((from + index * step) * 100) / 100);

describe('steps of the clock inside a segment:', () => {
  const two = [...every(0.5, 0, 4), ...every(0.5, 102, 4)];
  const back = [...every(0.5, 20, 4), ...every(0.5, 12, 4)];
  for (const [name, video, audio, step, expectedVideo, expectedAudio] of [
    [
      'a step ahead is taken out of picture and sound',
      two,
      [...every(0.1, 0, 20), ...every(0.1, 102, 20)],
      100,
      every(0.5, 0, 8),
      every(0.1, 0, 40),
    ],
    [
      'so is a step back',
      back,
      [...every(0.1, 20, 20), ...every(0.1, 12, 20)],
      -10,
      every(0.5, 20, 8),
      every(0.1, 20, 40),
    ],
    ['the picture alone is enough', two, undefined, 100, every(0.5, 0, 8), undefined],
    [
      'so is the sound where there is no picture',
      undefined,
      [...every(0.1, 0, 20), ...every(0.1, 102, 20)],
      100,
      undefined,
      every(0.1, 0, 40),
    ],
    [
      'a pause of both picture and sound is one, too',
      [...every(0.5, 0, 4), ...every(0.5, 5, 4)],
      [...every(0.1, 0, 20), ...every(0.1, 5, 20)],
      3,
      every(0.5, 0, 8),
      every(0.1, 0, 40),
    ],
    [
      'a gap in the picture while the sound goes on is none',
      [...every(0.5, 0, 4), ...every(0.5, 7, 4)],
      every(0.1, 0, 90),
      0,
      [...every(0.5, 0, 4), ...every(0.5, 7, 4)],
      every(0.1, 0, 90),
    ],
    [
      'a gap in the sound while the picture goes on is none',
      every(0.5, 0, 18),
      [...every(0.1, 0, 20), ...every(0.1, 7, 20)],
      0,
      every(0.5, 0, 18),
      [...every(0.1, 0, 20), ...every(0.1, 7, 20)],
    ],
    ['a frame in five seconds is a rate', every(5, 0, 4), undefined, 0, every(5, 0, 4), undefined],
    [
      'a frame that is shown for one and a half seconds is none',
      [...every(0.5, 0, 4), ...every(0.5, 3, 4)],
      undefined,
      0,
      [...every(0.5, 0, 4), ...every(0.5, 3, 4)],
      undefined,
    ],
    [
      'frames that are reordered over the step find their places',
      [0, 1.5, 0.5, 1, 103, 2, 102.5, 104.5, 103.5, 104],
      undefined,
      100,
      [0, 1.5, 0.5, 1, 3, 2, 2.5, 4.5, 3.5, 4],
      undefined,
    ],
    [
      'so do frames that came before the step in decode order and are shown behind it',
      [0, 1.5, 0.5, 1, 3, 102, 102.5, 104.5, 103.5, 104, 106, 105, 105.5],
      undefined,
      100,
      [0, 1.5, 0.5, 1, 3, 2, 2.5, 4.5, 3.5, 4, 6, 5, 5.5],
      undefined,
    ],
    [
      'sound that is a little behind the picture in the stream steps by as much',
      two,
      [...every(0.1, 0.3, 17), ...every(0.1, 102, 20)],
      100,
      every(0.5, 0, 8),
      every(0.1, 0.3, 37),
    ],
    [
      'sound that begins behind the step is put to the picture',
      two,
      every(0.1, 102.5, 10),
      100,
      every(0.5, 0, 8),
      every(0.1, 2.5, 10),
    ],
    [
      'several steps add up',
      [...every(0.5, 0, 4), ...every(0.5, 52, 4), ...every(0.5, 24, 4)],
      undefined,
      20,
      every(0.5, 0, 12),
      undefined,
    ],
  ] as const) {
    test(name, () => {
      const result = removed(segmentOf(video, ...(audio ? [audio] : [])));
      assert.equal(result.step, step);
      assert.deepEqual(result.video, expectedVideo);
      assert.deepEqual(result.audio[0], expectedAudio);
      assert.equal(result.notices.length > 0, step !== 0);
    });
  }

  test('the receipt says how far and where', () => {
    assert.deepEqual(removed(segmentOf(two)).notices, [
      "The encoder's clock steps 100 s ahead, 2 s after the start of the segment; the step is taken out.",
    ]);
    assert.match(removed(segmentOf(back)).notices.join(), /steps 10 s back, 2 s after/);
  });

  test('times without a step stay as they are, and frames never get lost', () => {
    const times = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(times, fc.array(fc.integer({ min: -1000, max: 1000 })), (video, audio) => {
        const result = removed(segmentOf(video, audio));
        assert.equal(result.video?.length, video.length);
        assert.equal(result.audio[0]?.length, audio.length);
        const steady = every(0.04, 7, video.length);
        assert.deepEqual(removed(segmentOf(steady)).video, steady);
      }),
      { numRuns: 200 },
    );
  });
});
