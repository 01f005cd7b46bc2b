import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EncodedPacket } from 'mediabunny';
import type { FileTracks } from '../../lib/media/split/file-tracks.ts';
import { KeyframesTooFarApart, splitFile } from '../../lib/media/split/splitter.ts';

/** What the splitter asks of a track, over packets in order. */
const sinkOf = (packets: readonly EncodedPacket[]) => {
  const before = (seconds: number, isWanted = (_: EncodedPacket) => true) =>
    packets.findLast((packet) => packet.timestamp <= seconds && isWanted(packet)) ?? null;
  return {
    getPacket: async (seconds: number) => before(seconds),
    getKeyPacket: async (seconds: number) => before(seconds, ({ type }) => type === 'key'),
    async *packets(start?: EncodedPacket) {
      yield* packets.slice(start ? packets.indexOf(start) : 0);
    },
  };
};

const FRAME_SECONDS = 1 / 4;
const SOUND_SECONDS = 0.3;
const AAC = { codec: 'aac', sampleRateHz: 48_000, language: 'und', isTransport: false } as const;
const NOTHING = new Uint8Array();

function fileOf(spans: readonly number[]): { tracks: FileTracks; keyTimes: number[] } {
  let index = 0;
  const keyTimes: number[] = [];
  const video = spans.flatMap((frames) => {
    keyTimes.push(index * FRAME_SECONDS);
    return Array.from({ length: frames }, (_, frame) => {
      const type = frame === 0 ? 'key' : 'delta';
      const time = index * FRAME_SECONDS;
      index += 1;
      return new EncodedPacket(Uint8Array.of(index), type, time, FRAME_SECONDS);
    });
  });
  const count = Math.round((index * FRAME_SECONDS) / SOUND_SECONDS);
  const sound = Array.from(
    { length: count },
    (_, packet) =>
      new EncodedPacket(Uint8Array.of(1), 'key', packet * SOUND_SECONDS, SOUND_SECONDS),
  );
  const init = { sampleDescription: NOTHING };
  const tracks = {
    video: {
      codec: 'avc',
      pixels: 1,
      isTransport: false,
      sink: sinkOf(video),
      init: { ...init, kind: 'video' },
    },
    audio: [{ ...AAC, sink: sinkOf(sound), init: { ...init, kind: 'audio' } }],
  };
  return { tracks: tracks as unknown as FileTracks, keyTimes };
}

async function cut(tracks: FileTracks, targetSeconds: number, fromSeconds?: number) {
  const segments = [];
  const from = fromSeconds === undefined ? {} : { fromSeconds };
  for await (const { bytes, ...segment } of splitFile(tracks, {
    targetSeconds,
    damage: {},
    ...from,
  })) {
    segments.push({ ...segment, digest: createHash('sha256').update(bytes).digest('hex') });
  }
  return segments;
}

describe('the plan by which a file is cut', () => {
  const spans = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 });
  const target = fc.integer({ min: 1, max: 10 });

  test('any keyframes: segments abut, begin with one, have every frame, and are as long as wanted', async () => {
    await fc.assert(
      fc.asyncProperty(spans, target, async (lengths, targetSeconds) => {
        const { tracks, keyTimes } = fileOf(lengths);
        const segments = await cut(tracks, targetSeconds);
        const frames = segments.reduce((sum, segment) => sum + segment.frames, 0);
        assert.equal(
          frames,
          lengths.reduce((sum, length) => sum + length, 0),
        );
        for (const [index, { startSeconds, endSeconds }] of segments.entries()) {
          const next = segments[index + 1];
          assert.ok(keyTimes.includes(startSeconds));
          assert.ok(endSeconds - startSeconds <= 55);
          if (!next) continue;
          assert.equal(next.startSeconds, endSeconds);
          const isLong = endSeconds - startSeconds >= targetSeconds - 0.1 - 1e-9;
          assert.ok(isLong || next.endSeconds - startSeconds > 55);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('from the end of any segment on it goes on as if it had not stopped', async () => {
    await fc.assert(
      fc.asyncProperty(spans, target, fc.nat(), async (lengths, targetSeconds, choice) => {
        const { tracks } = fileOf(lengths);
        const segments = await cut(tracks, targetSeconds);
        const index = choice % segments.length;
        const rest = await cut(tracks, targetSeconds, segments[index]?.endSeconds);
        assert.deepEqual(rest, segments.slice(index + 1));
      }),
      { numRuns: 40 },
    );
  });

  test('a segment ends early where the next keyframe would make it too long', async () => {
    const segments = await cut(fileOf([36, 200, 40]).tracks, 10);
    assert.deepEqual(
      segments.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds),
      [9, 50, 10],
    );
  });

  test('keyframes that are more than a segment apart are told, and not gathered', async () => {
    const { tracks } = fileOf([40, 400]);
    await assert.rejects(cut(tracks, 4), KeyframesTooFarApart);
  });
});
