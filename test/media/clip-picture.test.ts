import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutPicture, isSame, pictureTarget } from '../../lib/media/clip/clip-picture.ts';
import { readInit } from '../../lib/media/clip/init-parameters.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import { encodeBlack } from '../../lib/media/video/missing-picture.ts';
import { finishRung } from '../../lib/media/video/video-renditions.ts';
import { temporaryFolder } from '../support/system.ts';

const START = 900_000;
const FRAME = 3000;
const RUNG = { name: '90p', widthPx: 160, heightPx: 90, maxrateBps: 200_000, level: '3.0' };

describe('the pictures of a clip', () => {
  test('are copied where our encoder makes the same, else all of them are encoded', async (t) => {
    const signal = new AbortController().signal;
    const encoding = { folder: await temporaryFolder(t), signal };
    const picture = await encodeBlack({
      ...{ ...encoding, startTicks: 0, endTicks: 30 * FRAME, framesPerSecond: 30 },
      ...{ rungs: [RUNG], keyframesAtTicks: [] },
    });
    const [rung] = picture.rungs;
    assert.ok(rung);
    const [piece] = finishRung(rung, picture, START, [0, 30 * FRAME]);
    assert.ok(piece);
    const { init, media } = piece;
    const rates = { framesPerSecond: 30, maxrateBps: RUNG.maxrateBps };
    const whole = { init, media, fromTicks: START, toTicks: START + 30 * FRAME };
    const bytesOf = (samples: readonly { bytes: Uint8Array }[]) =>
      Buffer.concat(samples.map(({ bytes }) => bytes));
    const own = bytesOf(parseCmaf(Buffer.concat([init, media])).samples);

    const target = await pictureTarget(init, rates, true, encoding);
    assert.ok(isSame(target.parameters, readInit(init, 'video')));
    const copied = await cutPicture(whole, target, 30, encoding);
    assert.ok(copied && bytesOf(copied.samples).equals(own));
    assert.deepEqual([copied.startTicks, copied.endTicks], [START, START + 30 * FRAME]);

    const part = { ...whole, fromTicks: START + 10 * FRAME - 1, toTicks: START + 12 * FRAME + 1 };
    const cut = await cutPicture(part, target, 30, encoding);
    assert.deepEqual([cut?.startTicks, cut?.endTicks], [START + 10 * FRAME, START + 12 * FRAME]);
    assert.equal(cut?.samples.length, 2);
    const between = { ...whole, fromTicks: START + 500, toTicks: START + 1000 };
    assert.equal(await cutPicture(between, target, 30, encoding), undefined);

    // As an older encoder wrote it: the level of its parameter sets is another one.
    const older = Uint8Array.from(init);
    older[Buffer.from(older).indexOf('avcC') + 7] = 31;
    const others = await pictureTarget(older, rates, true, encoding);
    assert.ok(!isSame(others.parameters, readInit(older, 'video')));
    const anew = await cutPicture({ ...whole, init: older }, others, 30, encoding);
    assert.equal(anew?.samples.length, 30);
    assert.ok(anew && !bytesOf(anew.samples).equals(own));
    const kept = await pictureTarget(older, rates, false, encoding);
    assert.ok(isSame(kept.parameters, readInit(older, 'video')), 'nothing has to be encoded');
  });
});
