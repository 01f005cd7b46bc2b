import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import { assignNumber } from '../../lib/pipeline/ingest/push-naming.ts';
import { START_MS, testEngine } from '../support/engine.ts';

async function numbering(t: TestContext) {
  const { records } = await testEngine(t);
  const stream = newStream('show', START_MS);
  await records.createStream(stream);
  const assign = (name: string, session?: string) => assignNumber(records, stream, session, name);
  return {
    assign,
    numbers: async (names: readonly string[]) => {
      const numbers: number[] = [];
      for (const name of names) numbers.push((await assign(name)).number);
      return numbers;
    },
  };
}

describe('files that are pushed in this order', () => {
  const SERIES: Readonly<Record<string, readonly [names: readonly string[], numbers: number[]]>> = {
    'of ffmpeg': [
      ['live0.ts', 'live1.ts', 'live2.ts', 'live3.ts', 'live4.ts'],
      [0, 1, 2, 3, 4],
    ],
    'of ffmpeg, one overtaken, one lost': [
      ['live0.ts', 'live2.ts', 'live1.ts', 'live3.ts', 'live5.ts'],
      [0, 2, 1, 3, 5],
    ],
    'of ffmpeg, started again': [
      ['live7.ts', 'live8.ts', 'live9.ts', 'live0.ts', 'live1.ts'],
      [7, 8, 9, 0, 1],
    ],
    'of nginx-vod': [
      ['seg-1-v1-a1.ts', 'seg-2-v1-a1.ts', 'seg-3-v1-a1.ts', 'seg-4-v1-a1.ts'],
      [1, 2, 3, 4],
    ],
    'with index and duration': [
      ['s_00000_2000000.ts', 's_00001_1960000.ts', 's_00002_2000000.ts', 's_00003_2040000.ts'],
      [0, 1, 2, 3],
    ],
    'with index and a duration that is not padded': [
      ['s_7_2000000.ts', 's_8_2000000.ts', 's_9_2000000.ts', 's_10_1960000.ts'],
      [7, 8, 9, 10],
    ],
    'with the size of the picture behind': [
      ['9_1080.ts', '10_1080.ts', '11_1080.ts', '12_1080.ts'],
      [9, 10, 11, 12],
    ],
    'of GStreamer': [
      ['segment00000.ts', 'segment00001.ts', 'segment00002.ts'],
      [0, 1, 2],
    ],
    'of Wowza': [
      ['media-ufh8_b2096000_0.ts', 'media-ufh8_b2096000_1.ts', 'media-ufh8_b2096000_2.ts'],
      [0, 1, 2],
    ],
    'of AWS Elemental': [
      ['live_1_00017.ts', 'live_1_00018.ts', 'live_1_00019.ts'],
      [17, 18, 19],
    ],
    'of GPAC, by time': [
      ['live_dash_0.m4s', 'live_dash_180000.m4s', 'live_dash_359000.m4s', 'live_dash_540000.m4s'],
      [0, 1, 2, 3],
    ],
    'by date and time': [
      ['20261125-235958.ts', '20261126-000000.ts', '20261126-000002.ts', '20261126-000005.ts'],
      [0, 1, 2, 3],
    ],
    'in folders by date': [
      ['2026/11/25/10/59/58.ts', '2026/11/25/11/00/00.ts', '2026/11/25/11/00/02.ts'],
      [0, 1, 2],
    ],
    'by date, with a counter': [
      ['20261125-101502-0007.ts', '20261125-101504-0008.ts', '20261125-101506-0009.ts'],
      [7, 8, 9],
    ],
    'by Unix time': [
      ['1700000000.ts', '1700000002.ts', '1700000004.ts', '1700000006.ts'],
      [0, 1, 2, 3],
    ],
    'counted from a Unix time': [
      ['1700000000.ts', '1700000001.ts', '1700000002.ts', '1700000004.ts', '1700000003.ts'],
      [0, 1, 2, 4, 3],
    ],
    'by milliseconds': [
      ['seg-1700000000123.ts', 'seg-1700000002130.ts', 'seg-1700000004125.ts'],
      [0, 1, 2],
    ],
    'by UUIDs': [
      [
        '3f2b9c1e-7d4a-4c55-9b1f-0a2d3c4e5f60.ts',
        '8c1d2e3f-0000-4c55-9b1f-aa2d3c4e5f61.ts',
        '11111111-2222-4333-8444-555555555555.ts',
      ],
      [0, 1, 2],
    ],
    'without any number': [
      ['first.ts', 'second.ts', 'third.ts'],
      [0, 1, 2],
    ],
  };
  for (const [kind, [names, expected]] of Object.entries(SERIES)) {
    test(`${kind} are numbered ${expected.join(', ')}`, async (t) => {
      const { numbers } = await numbering(t);
      assert.deepEqual(await numbers(names), expected);
    });

    test(`${kind} have the same numbers when they come again`, async (t) => {
      const { numbers } = await numbering(t);
      const first = await numbers(names);
      assert.deepEqual(await numbers(names), first);
    });
  }
});

test('files that are pushed at once get numbers of their own', async (t) => {
  const { assign } = await numbering(t);
  const names = Array.from({ length: 12 }, (_, index) => `20261125-1015${10 + 2 * index}.ts`);
  const assigned = await Promise.all(names.map((name) => assign(name)));
  assert.deepEqual(
    assigned.map(({ number }) => number).sort((a, b) => a - b),
    names.map((_, index) => index),
  );
});

test('sessions have names of their own', async (t) => {
  const { assign } = await numbering(t);
  assert.equal((await assign('first.ts', 'a')).number, 0);
  assert.equal((await assign('second.ts', 'a')).number, 1);
  assert.equal((await assign('second.ts', 'b')).number, 0);
});
