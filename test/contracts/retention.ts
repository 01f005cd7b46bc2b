/** Retention by the same step on every engine: the check that a schedule brings, a job, and the publisher. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { deleteStream, showStream } from '../../lib/pipeline/streams.ts';
import { checkRetention } from '../../lib/pipeline/upkeep/retention.ts';
import type { Clock, Ports } from '../../lib/ports/ports.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine } from '../support/engine.ts';
import { DAY_MS, type KeptShow, keptShow, numbersOf, shortNames } from '../support/kept-show.ts';
import { MEDIA_THREADS } from '../support/media-threads.ts';

export type EngineWithClock = Readonly<{ ports: Ports; close(): Promise<void> }>;

/** Segments of four seconds; each counts ten bytes of source and five of a rendition. */
const SEGMENTS = [0, 1, 2, 3, 4, 5, 6, 7];
const BYTES = 15;

export function retentionContract(
  name: string,
  make: (clock: Clock) => Promise<EngineWithClock>,
): void {
  /** Live, with a pause of some days behind the fourth segment. */
  async function airing(t: TestContext): Promise<KeptShow> {
    const clock = { nowMs: START_MS, now: () => clock.nowMs };
    const { ports, close } = await make(clock);
    t.after(close);
    const deps: Deps = { ...withRecords(ports), ...MEDIA_THREADS, ownerKeyHash: '' };
    const engine: TestEngine = { deps, records: deps.records, workFolder: tmpdir(), clock };
    const show = await keptShow(engine, { days: 3 }, { dvrWindowSeconds: null });
    await show.air(SEGMENTS.slice(0, 4));
    clock.nowMs += 4.5 * DAY_MS;
    await show.air(SEGMENTS.slice(4));
    return show;
  }

  /** What a schedule brings, and the jobs that it queues. */
  async function check(show: KeptShow): Promise<number> {
    const { deps } = show.engine;
    await checkRetention(deps, { type: 'retention' });
    const jobs = await deps.queues.analysisJobs.receive({ max: 10, waitMs: 0, leaseMs: 60_000 });
    for (const { body } of jobs) await show.runJob(body);
    await deps.queues.analysisJobs.acknowledge(jobs.map(({ receipt }) => receipt));
    await show.work();
    return jobs.length;
  }

  const storageOf = async ({ engine }: KeptShow) =>
    (await showStream(engine.deps, 'show')).storageBytes;

  /** Numbers of the segments that a player of this playlist can still load. */
  async function playable({ engine }: KeptShow, playlist: string): Promise<string[]> {
    const { segments } = parseMediaWithHls(playlist);
    const keys = segments.map(({ uri }) => uri.slice(1));
    const there = await Promise.all(keys.map((key) => engine.deps.media.head(key)));
    return shortNames(keys.filter((_, index) => there[index])).map(
      (one) => one.split(' ')[1] ?? '',
    );
  }

  describe(`retention on ${name}`, () => {
    test('takes segments out of the playlists first and out of the store a day later', async (t) => {
      const show = await airing(t);
      const { clock } = show.engine;
      const before = await show.media('live');
      assert.equal(await check(show), 1);
      const after = await show.media('live');
      assert.match(after, /#EXT-X-MEDIA-SEQUENCE:4\n/);
      assert.equal(numbersOf(after), '4 5 6 7');
      assert.deepEqual(
        parseMediaWithHls(after).segments.map(({ sequence }) => sequence),
        [4, 5, 6, 7],
      );
      assert.equal((await playable(show, before)).length, SEGMENTS.length, 'players play on');
      assert.equal(await storageOf(show), SEGMENTS.length * BYTES);
      clock.nowMs += DAY_MS / 2;
      await check(show);
      assert.equal((await playable(show, before)).length, SEGMENTS.length, 'half a day later, too');
      clock.nowMs += DAY_MS / 2;
      assert.equal(await check(show), 1);
      assert.deepEqual(await playable(show, before), ['4', '5', '6', '7']);
      assert.equal(await storageOf(show), 4 * BYTES);
      await show.end();
      const recording = parseMediaWithHls(
        await show.media('vod', (await show.state()).kept?.version),
      );
      assert.equal(recording.ended, true);
      assert.equal((await playable(show, after)).length, recording.segments.length);
    });

    test('goes on where a worker was killed, and leaves nothing of a stream that is deleted', async (t) => {
      const show = await airing(t);
      const { clock, deps } = show.engine;
      await check(show);
      clock.nowMs += DAY_MS;
      const { media } = deps;
      const interrupted = (interrupt: () => Promise<unknown>) => ({
        ...deps,
        media: {
          ...{ list: media.list.bind(media), head: media.head.bind(media) },
          delete: async (keys: readonly string[]) => {
            await media.delete(keys.slice(0, 1));
            await interrupt();
            await media.delete(keys);
          },
        } as typeof media,
      });
      const killed = interrupted(() => Promise.reject(new Error('killed')));
      await assert.rejects(show.retain({}, killed), /killed/);
      assert.equal(numbersOf(await show.media('live')), '4 5 6 7');
      await show.retain();
      assert.deepEqual(
        shortNames(await show.objects()).filter((one) => one.startsWith('source')),
        ['source 4', 'source 5', 'source 6', 'source 7'],
      );
      assert.equal(await storageOf(show), 4 * BYTES);
      await show.end();
      await show.retain();
      clock.nowMs += 4 * DAY_MS;
      await show.retain();
      clock.nowMs += DAY_MS;
      const deleting = interrupted(() => deleteStream(deps, 'show'));
      await assert.rejects(show.retain({}, deleting), /changed meanwhile/);
      assert.equal(await show.retain(), 'obsolete');
      assert.deepEqual([await show.objects(), await show.recordsOf()], [[], []]);
    });
  });
}
