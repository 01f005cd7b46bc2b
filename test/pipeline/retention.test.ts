import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testEngine } from '../support/engine.ts';
import { DAY_MS, keptShow, numbersOf } from '../support/kept-show.ts';

describe('a recording under retention', () => {
  test('loses what has expired', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 7 });
    await show.air([0, 1, 2, 3], DAY_MS);
    await show.end();
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod');
    assert.equal(numbersOf(await show.media('vod')), '0 1 2 3');
    show.engine.clock.nowMs += 5 * DAY_MS;
    assert.equal(await show.retain(), 'done');
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod&kept=1');
    console.log(await show.media('vod', 1), await show.state());
    show.engine.clock.nowMs += DAY_MS;
    assert.equal(await show.retain(), 'done');
    console.log(await show.objects(), await show.media('vod', 2), await show.state());
  });
});
