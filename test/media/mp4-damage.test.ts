import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { DomainError } from '../../lib/domain/errors.ts';
import { inspectInit, inspectSegment } from '../../lib/media/inspect.ts';
import { boxesIn } from '../../lib/media/iso-boxes.ts';
import { remuxSource } from '../../lib/media/mux/remux.ts';
import { makeSegments } from '../support/media.ts';

/** One change of a body; `at` and `size` are shares of its length. */
type Damage = Readonly<{
  kind: 'flip' | 'cut' | 'size' | 'copy' | 'rename';
  at: number;
  size: number;
  value: number;
}>;

const damage = fc.record({
  kind: fc.constantFrom<Damage['kind']>('flip', 'cut', 'size', 'copy', 'rename'),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  size: fc.double({ min: 0, max: 0.3, noNaN: true }),
  value: fc.oneof(fc.nat(255), fc.constantFrom(0x7fff_ffff, 0xffff_ffff), fc.nat(0xffff_ffff)),
});

const TYPES = ['trak', 'mdia', 'minf', 'stbl', 'stts', 'ctts', 'stsc', 'stsz', 'stco', 'trun'];
const MORE_TYPES = ['traf', 'moof', 'edts', 'elst', 'tfhd', 'tfdt', 'mvex', 'avc1', 'mp4a', 'free'];

/** Starts of all boxes, wherever they lie. */
function boxStarts(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  const walk = (from: number, to: number): void => {
    for (const { type, start, bodyStart, end } of boxesIn(bytes, from, to)) {
      if (end > to || !/^[a-z0-9 ]{4}$/i.test(type)) return;
      starts.push(start);
      if (type !== 'mdat') walk(type === 'stsd' ? bodyStart + 8 : bodyStart, end);
    }
  };
  walk(0, bytes.length);
  return starts;
}

function apply(bytes: Uint8Array, { kind, at, size, value }: Damage): Uint8Array {
  const place = Math.floor(at * bytes.length);
  const copy = Buffer.from(bytes);
  const starts = boxStarts(bytes);
  const start = starts[Math.floor(at * starts.length)] ?? 0;
  if (kind === 'cut') return copy.subarray(0, place);
  if (place >= copy.length) return copy;
  if (kind === 'flip') copy.writeUInt8(value & 0xff, place);
  if (copy.length < start + 12) return copy;
  // Sizes, and what stands in the fields behind them.
  if (kind === 'size') copy.writeUInt32BE(value, start + (value % 3 === 0 ? 0 : 8));
  if (kind === 'rename') {
    const types = [...TYPES, ...MORE_TYPES];
    copy.write(types[value % types.length] ?? 'free', start + 4, 'latin1');
  }
  if (kind !== 'copy') return copy;
  const end = Math.min(copy.length, place + Math.floor(size * copy.length));
  return Buffer.concat([copy.subarray(0, end), copy.subarray(place)]);
}

describe('damaged MP4:', () => {
  const clips: { bytes: Uint8Array; init?: Uint8Array }[] = [];

  before(async () => {
    const small = { seconds: 1, hlsTime: 1, size: '64x36', rate: '10' } as const;
    for (const options of [
      { ...small, container: 'mp4' },
      { ...small, container: 'mp4-faststart', video: 'hevc', audio: 'ac3' },
      { ...small, container: 'fmp4' },
      { ...small, container: 'fmp4', video: 'vp9', audio: 'opus' },
    ] as const) {
      const { segments, init } = await makeSegments(options);
      clips.push({ bytes: segments[0]?.bytes ?? assert.fail(), ...(init && { init }) });
    }
  });

  test('it is read or refused, by inspection and by what makes a download of it', async () => {
    const known = new Set(['taken']);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(3),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.array(damage, { maxLength: 2 }),
        async (clip, changes, initChanges) => {
          const { bytes: whole, init: wholeInit } = clips[clip] ?? assert.fail();
          const bytes = changes.reduce(apply, whole);
          const init = wholeInit && initChanges.reduce(apply, wholeInit);
          try {
            if (init) await inspectInit(init);
            await inspectSegment(bytes, init);
            known.add('taken');
          } catch (error) {
            assert.ok(error instanceof DomainError, (error as Error).stack);
            known.add(error.code);
            return;
          }
          await remuxSource({ bytes, ...(init && { init }), format: 'mp4' });
        },
      ),
      { numRuns: 600, seed: 20_261_126 },
    );
    for (const code of ['truncated_segment', 'undecodable', 'unsupported_media']) {
      assert.ok(known.has(code), `None was ${code}.`);
    }
  });
});
