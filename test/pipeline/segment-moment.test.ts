import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  findMoment,
  withNeighbours,
} from '../../lib/pipeline/view/segment-files/segment-moment.ts';
import { storedShow } from './stored-show.ts';

const RANGE = '0 to 16.000 s, from 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:16.000Z';

describe('the segment at a timestamp', () => {
  test('is found by seconds from the start, by an ISO 8601 instant, or is the newest', async (t) => {
    const { find } = await storedShow(t);
    for (const [timestamp, sequence] of [
      ['0', 0],
      ['3.999', 0],
      ['2026-01-01T00:00:00Z', 0],
      ['2026-01-01T00:00:03.999Z', 0],
      ['2026-01-01T01:00:08+01:00', 2],
      [undefined, 3],
    ] as const) {
      assert.equal(await find(timestamp), sequence, timestamp);
    }
  });

  test('is none before the start and after the end; the hint says what there is', async (t) => {
    const { find } = await storedShow(t);
    const outside = ['16', '-1', '-0.001', '2025-12-31T23:59:59.999Z', '2026-01-01T00:00:16Z'];
    for (const timestamp of [...outside, '9'.repeat(300)]) {
      await assert.rejects(find(timestamp), {
        code: 'moment_not_found',
        message: `Stream "show" has nothing at ${timestamp}.`,
        hint: `It has ${RANGE}.`,
      });
    }
  });

  test('is none in a gap; the message says where that is', async (t) => {
    const { find } = await storedShow(t);
    for (const timestamp of ['4', '7.999', '2026-01-01T00:00:04Z']) {
      await assert.rejects(find(timestamp), {
        code: 'moment_not_found',
        message: 'There is a gap from 4.000 to 8.000 s: segment 1 never came.',
        hint: `Ask for a moment before or after it. It has ${RANGE}.`,
      });
    }
  });

  test('has the entries beside it that it abuts, and none across a gap, a break or a jump', async (t) => {
    const { records, stream } = await storedShow(t);
    const [, gap, entry, next] = await records.entries(stream, 0, 3);
    if (!gap || !entry || !next) return assert.fail();
    assert.deepEqual(withNeighbours(entry, gap, next), { before: undefined, after: next });
    assert.deepEqual(withNeighbours(next, entry, undefined), { before: entry, after: undefined });
    const broken = { ...next, discontinuity: true };
    assert.equal(withNeighbours(entry, undefined, broken).after, undefined);
    assert.equal(withNeighbours(broken, entry, undefined).before, undefined);
    const late = { ...next, startTicks: next.startTicks + 9001 };
    assert.equal(withNeighbours(entry, undefined, late).after, undefined);
    assert.equal(withNeighbours(late, entry, undefined).before, undefined);
  });

  test('has what came late of a language, in it and beside it, without a read of the whole stream', async (t) => {
    const { deps, records, stream } = await storedShow(t);
    for (const sequence of [2, 3]) {
      const { value, version } = await records.timeline(stream);
      const piece = { key: `late/${sequence}`, initKey: 'i/audio-2', sizeBytes: 1 };
      const late = { sequence, rendition: 'audio-2', piece };
      assert.ok(await records.recordLatePiece(stream, late, value, version));
    }
    const reads = t.mock.method(deps.records, 'entries').mock;
    const { entry, after } = await findMoment(deps, 'show', '8');
    const keys = [entry, after].map((one) => one?.renditions['audio-2']?.key);
    assert.deepEqual(keys, ['late/2', 'late/3']);
    assert.deepEqual(
      reads.calls.map(({ arguments: [, ...range] }) => range),
      [[1, 3]],
    );
    const newest = await findMoment(deps, 'show', undefined);
    assert.equal(newest.entry.renditions['audio-2']?.key, 'late/3');
  });

  test('is refused for what is neither seconds nor an instant', async (t) => {
    const { find } = await storedShow(t);
    for (const timestamp of ['noon', 'NaN', '1e3', '2026-13-01', '', '0,4', '--1', '0x1', ' ']) {
      const message = `"${timestamp}" is not a valid timestamp.`;
      await assert.rejects(find(timestamp), { code: 'bad_request', message });
    }
  });
});
