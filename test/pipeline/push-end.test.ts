import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeNaming } from '../../lib/pipeline/ingest/push-naming.ts';
import { at, clip, playlistOf, pushTo } from '../support/push.ts';
import { waitFor } from '../support/system.ts';

test('the end of a playlist that overtook segments comes after those that wait for their turn', async (t) => {
  const { pushAny, push, records, stream, clock } = await pushTo(t);
  const media = await clip();
  await push('live0.ts', at(media, 0));
  const turn = { name: 'live1.ts', atMs: clock.nowMs };
  await changeNaming(records, stream, undefined, (naming) => ({ ...naming, turns: [turn] }));
  const done: string[] = [];
  const ended = pushAny('live.m3u8', playlistOf(['live0.ts', 'live1.ts'], { ended: true })).then(
    () => done.push('end'),
  );
  const isQueued = async (): Promise<boolean> =>
    ((await records.pushNaming(stream, '')).value.turns ?? []).length === 2;
  await waitFor('the end to take its turn', async () => done.length > 0 || isQueued());
  assert.equal(await records.endRequest(stream), undefined, 'it waits');
  done.push('segment');
  await changeNaming(records, stream, undefined, (naming) => ({
    ...naming,
    turns: (naming.turns ?? []).filter(({ name }) => name !== turn.name),
  }));
  await ended;
  assert.deepEqual(done, ['segment', 'end']);
  assert.equal((await records.endRequest(stream))?.number, 1);
});
