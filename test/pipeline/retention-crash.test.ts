import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deleteStream } from '../../lib/pipeline/streams.ts';
import { testEngine } from '../support/engine.ts';
import { DAY_MS, keptShow, shortNames } from '../support/kept-show.ts';

describe('a job of retention', () => {
  for (const failures of [1, 2, 3, 5, 8]) {
    test(`goes on where it was killed, after ${failures} calls of the stores`, async (t) => {
      const engine = await testEngine(t);
      const show = await keptShow(engine, { days: 1 });
      await show.air(Array.from({ length: 30 }, (_, number) => number));
      await show.end();
      engine.clock.nowMs += 2 * DAY_MS;
      await show.retain();
      engine.clock.nowMs += DAY_MS;
      let left = failures;
      const dying = async () => {
        left -= 1;
        if (left < 0) throw new Error('killed');
      };
      const { media, store } = engine.deps;
      const killed = {
        ...engine.deps,
        media: {
          ...{ list: media.list.bind(media), head: media.head.bind(media) },
          delete: (keys: readonly string[]) => dying().then(() => media.delete(keys)),
        } as typeof media,
        store: {
          ...{ get: store.get.bind(store), query: store.query.bind(store) },
          write: (writes: Parameters<typeof store.write>[0]) =>
            dying().then(() => store.write(writes)),
        } as typeof store,
      };
      await assert.rejects(show.retain({}, killed), /killed/);
      await show.retain();
      await show.retain();
      assert.deepEqual(shortNames(await show.objects()), ['720p/init']);
      assert.deepEqual(await show.recordsOf('segment', 'outcome', 'timeline', 'removal'), []);
      assert.equal((await show.state()).storedBytes, 0);
    });
  }

  test('that has begun to remove objects goes on, though the setting was made longer', async (t) => {
    const engine = await testEngine(t);
    const show = await keptShow(engine, { days: 1 });
    await show.air(Array.from({ length: 30 }, (_, number) => number));
    await show.end();
    engine.clock.nowMs += 2 * DAY_MS;
    await show.retain();
    engine.clock.nowMs += DAY_MS;
    const { media } = engine.deps;
    let left = 1;
    const killed = {
      ...engine.deps,
      media: {
        ...{ list: media.list.bind(media), head: media.head.bind(media) },
        delete: async (keys: readonly string[]) => {
          left -= 1;
          if (left < 0) throw new Error('killed');
          await media.delete(keys);
        },
      } as typeof media,
    };
    await assert.rejects(show.retain({}, killed), /killed/);
    await show.keep(null);
    await show.retain();
    await show.retain();
    assert.deepEqual(shortNames(await show.objects()), ['720p/init']);
    const { kept, storedBytes } = await show.state();
    assert.deepEqual([kept?.removals, kept?.first, storedBytes], [[], undefined, 0]);
  });

  test('of a stream that is deleted meanwhile leaves nothing behind', async (t) => {
    const engine = await testEngine(t);
    const show = await keptShow(engine, { days: 1 });
    await show.air([0, 1, 2]);
    await show.end();
    engine.clock.nowMs += 2 * DAY_MS;
    await show.retain();
    engine.clock.nowMs += DAY_MS;
    const { media } = engine.deps;
    const deleting = {
      ...engine.deps,
      media: {
        ...{ list: media.list.bind(media), head: media.head.bind(media) },
        delete: async (keys: readonly string[]) => {
          await deleteStream(engine.deps, 'show');
          await media.delete(keys);
        },
      } as typeof media,
    };
    await assert.rejects(show.retain({}, deleting), /changed meanwhile/);
    assert.equal(await show.retain(), 'obsolete');
    assert.deepEqual([await show.objects(), await show.recordsOf()], [[], []]);
  });
});
