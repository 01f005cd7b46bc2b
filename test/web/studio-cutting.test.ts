import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KeyframeSchedule, SegmentCutter } from '../../web/studio/segment-cutter.ts';

type Frame = Readonly<{ timeUs: number; isKey: boolean; isFirst?: boolean }>;
type Sound = Readonly<{ timeUs: number; durationUs: number }>;

const frame = (timeMs: number, isKey = false): Frame => ({ timeUs: 1000 * timeMs, isKey });
const sound = (timeMs: number): Sound => ({ timeUs: 1000 * timeMs, durationUs: 20_000 });

describe('cutting in the studio', () => {
  test('keyframe schedule: the first frame at or after each two seconds is a keyframe', () => {
    const schedule = new KeyframeSchedule();
    const keys = [0, 33, 1966, 2040, 2073, 3999, 4000, 8500, 8600].filter((timeMs) => {
      const isDue = schedule.isDue(1000 * timeMs);
      if (isDue) schedule.taken(1000 * timeMs);
      return isDue;
    });
    assert.deepEqual(keys, [0, 2040, 4000, 8500]);
  });

  test('keyframe schedule: a keyframe that was left out is due with the next frame', () => {
    const schedule = new KeyframeSchedule();
    assert.equal(schedule.isDue(0), true);
    assert.equal(schedule.isDue(33_000), true);
  });

  test('segment cutter: a segment goes from keyframe to keyframe, and its last frame lasts until then', () => {
    const cutter = new SegmentCutter<Frame, Sound>(false);
    assert.deepEqual(cutter.addVideo(frame(0, true), 0), []);
    cutter.addVideo(frame(25), 0);
    cutter.addVideo(frame(600), 0);
    const [segment] = cutter.addVideo(frame(2040, true), 0);
    assert.equal(segment?.startUs, 0);
    assert.equal(segment?.endUs, 2_040_000);
    assert.deepEqual(
      segment?.video.map(({ durationUs }) => durationUs),
      [25_000, 575_000, 1_440_000],
    );
  });

  test('segment cutter: a keyframe that the encoder makes of itself, as at a change of scene, cuts nothing', () => {
    const cutter = new SegmentCutter<Frame, Sound>(false);
    cutter.addVideo(frame(0, true), 0);
    assert.deepEqual(cutter.addVideo(frame(900, true), 0), []);
    assert.deepEqual(cutter.addVideo(frame(1980, true), 0), []);
    const [segment] = cutter.addVideo(frame(2020, true), 0);
    assert.equal(segment?.video.length, 3);
    assert.equal(segment?.endUs, 2_020_000);
  });

  test('segment cutter: an encoder that begins anew begins a segment', () => {
    const cutter = new SegmentCutter<Frame, Sound>(false);
    cutter.addVideo(frame(0, true), 0);
    const [segment] = cutter.addVideo({ ...frame(900, true), isFirst: true }, 0);
    assert.equal(segment?.endUs, 900_000);
  });

  test('segment cutter: a segment waits until the sound has reached its end', () => {
    const cutter = new SegmentCutter<Frame, Sound>(true);
    cutter.addVideo(frame(0, true), 0);
    for (let timeMs = 0; timeMs < 1980; timeMs += 20) cutter.addAudio(sound(timeMs), 0);
    assert.deepEqual(cutter.addVideo(frame(2000, true), 2000), []);
    const [segment] = cutter.addAudio(sound(1980), 2050);
    assert.equal(segment?.audio.length, 100);
  });

  test('segment cutter: sound that does not come delays a segment by 500 ms at most', () => {
    const cutter = new SegmentCutter<Frame, Sound>(true);
    cutter.addVideo(frame(0, true), 0);
    cutter.addAudio(sound(0), 0);
    cutter.addVideo(frame(2000, true), 2000);
    assert.deepEqual(cutter.tick(2499), []);
    assert.equal(cutter.tick(2500)[0]?.audio.length, 1);
  });

  test('segment cutter: sound that comes after the time-out is in the next segment', () => {
    const cutter = new SegmentCutter<Frame, Sound>(true);
    cutter.addVideo(frame(0, true), 0);
    cutter.addVideo(frame(2000, true), 2000);
    assert.equal(cutter.tick(2500).length, 1);
    cutter.addAudio(sound(1980), 2600);
    cutter.addVideo(frame(4000, true), 4000);
    const [segment] = cutter.finish(4_100_000);
    assert.deepEqual(segment?.audio, [sound(1980)]);
  });

  test('segment cutter: what precedes the first keyframe is left out, pictures and sound', () => {
    const cutter = new SegmentCutter<Frame, Sound>(true);
    cutter.addVideo(frame(0), 0);
    cutter.addAudio(sound(0), 0);
    cutter.addAudio(sound(40), 0);
    cutter.addVideo(frame(50, true), 0);
    const [segment] = cutter.finish(100_000);
    assert.equal(segment?.startUs, 50_000);
    assert.deepEqual(segment?.audio, [sound(40)]);
  });

  test('segment cutter: at the end the open segment closes at the moment of the end', () => {
    const cutter = new SegmentCutter<Frame, Sound>(true);
    cutter.addVideo(frame(0, true), 0);
    cutter.addVideo(frame(700), 0);
    const [segment, ...more] = cutter.finish(750_000);
    assert.equal(segment?.endUs, 750_000);
    assert.deepEqual(more, []);
    assert.deepEqual(cutter.finish(800_000), []);
  });

  test('segment cutter: every frame and every sound is in one segment, and segments join without a gap', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (steps, keys) => {
        const cutter = new SegmentCutter<Frame, Sound>(true);
        const frames: Frame[] = [];
        const sounds: Sound[] = [];
        const cut = [];
        let timeMs = 0;
        let soundMs = 0;
        for (const [index, stepMs] of steps.entries()) {
          const one = frame(timeMs, index === 0 || (keys[index] ?? false));
          frames.push(one);
          cut.push(...cutter.addVideo(one, timeMs));
          timeMs += stepMs;
          for (; soundMs < timeMs; soundMs += 20) {
            sounds.push(sound(soundMs));
            cut.push(...cutter.addAudio(sound(soundMs), timeMs));
          }
        }
        cut.push(...cutter.finish(1000 * timeMs));
        assert.deepEqual(
          cut.flatMap(({ video }) => video.map(({ packet }) => packet)),
          frames,
        );
        assert.deepEqual(
          cut.flatMap(({ audio }) => audio),
          sounds,
        );
        for (const [index, { startUs, endUs, video }] of cut.entries()) {
          const lengthUs = video.reduce((sum, { durationUs }) => sum + durationUs, 0);
          assert.equal(startUs + lengthUs, endUs);
          assert.equal(cut[index + 1]?.startUs ?? endUs, endUs);
        }
      }),
    );
  });
});
