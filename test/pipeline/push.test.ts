import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { box } from '../../lib/media/iso-boxes.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { pushFile } from '../../lib/pipeline/ingest/push.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';

async function pushTo(t: TestContext) {
  const { deps, records } = await testEngine(t);
  await records.createStream(newStream('show', START_MS));
  return async (name: string, bytes: Uint8Array) => {
    const stream = (await records.findStream('show')) ?? assert.fail();
    return pushFile(deps, stream, { name, bytes });
  };
}

describe('pushed fragments:', () => {
  test('one that begins with uuid or free is joined to the init segment that was sent', async (t) => {
    const { init = assert.fail(), segments } = await makeSegments({
      seconds: 4,
      size: '64x36',
      container: 'fmp4',
    });
    const push = await pushTo(t);
    assert.equal(await push('init.mp4', init), undefined);
    for (const [number, type] of ['uuid', 'free'].entries()) {
      const bytes = segments[number]?.bytes ?? assert.fail();
      const first = box(type, new Uint8Array(16));
      const pushed = await push(`${number}.m4s`, Buffer.concat([first, bytes]));
      assert.equal(pushed?.receipt.stored, true, type);
    }
  });

  test('an init segment is recognised behind a box with a size of 64 bits', async (t) => {
    const { init = assert.fail() } = await makeSegments({
      seconds: 4,
      size: '64x36',
      container: 'fmp4',
    });
    const long = Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from('free'),
      Buffer.from([0, 0, 0, 0, 0, 0, 0, 16]),
    ]);
    const moov = Buffer.from(init).indexOf('moov') - 4;
    const bytes = Buffer.concat([init.subarray(0, moov), long, init.subarray(moov)]);
    const push = await pushTo(t);
    assert.equal(await push('init.mp4', bytes), undefined);
  });
});
