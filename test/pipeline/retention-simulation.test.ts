import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RetentionSettings } from '../../lib/domain/retention/retention.ts';
import { putCues } from '../../lib/pipeline/captions/edit-captions.ts';
import { putMarkers } from '../../lib/pipeline/markers/edit-markers.ts';
import { putSavedClip } from '../../lib/pipeline/records/clip-records.ts';
import { putClosedCaptions } from '../../lib/pipeline/records/closed-caption-records.ts';
import { PlaylistMoved } from '../../lib/pipeline/view/recording-address.ts';
import { START_MS } from '../support/engine.ts';
import { type KeptShow, keptShow } from '../support/kept-show.ts';
import { memoryEngine } from '../support/memory-engine.ts';

const HOUR_MS = 3_600_000;

/** As long a player may go on with what it has loaded. */
const HELD_MS = 12 * HOUR_MS;

type Step =
  | Readonly<{ type: 'air'; segments: number; hours: number }>
  | Readonly<{ type: 'pass'; hours: number }>
  | Readonly<{ type: 'set back'; hours: number }>
  | Readonly<{ type: 'keep'; retention: RetentionSettings | null }>
  | Readonly<{ type: 'mark'; at: number; class: string }>
  | Readonly<{ type: 'end' | 'retain' }>;

const retentions: fc.Arbitrary<RetentionSettings | null> = fc.option(
  fc.record(
    {
      days: fc.integer({ min: 1, max: 3 }),
      clipped: fc.constantFrom(null, 5),
      marked: fc.constantFrom(
        [{ days: null, beforeSeconds: 0, afterSeconds: 0 }],
        [{ class: 'goal', days: 5, beforeSeconds: 3600, afterSeconds: 7200 }],
      ),
    },
    { requiredKeys: ['days'] },
  ),
  { freq: 6 },
);

const hours = (max: number) => fc.integer({ min: 1, max });

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ type: fc.constant('air' as const), hours: fc.integer({ min: 0, max: 20 }) },
      segments: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('pass' as const), hours: hours(20) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('set back' as const), hours: hours(30) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('keep' as const), retention: retentions }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ type: fc.constant('mark' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) },
      class: fc.constantFrom('goal', 'person'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('end', 'retain', 'retain', 'retain') }),
  },
) as fc.Arbitrary<Step>;

/** A player that has loaded a playlist, when by a clock that is never set. */
type Held = Readonly<{ names: readonly string[]; atMs: number; what: string }>;

class Simulation {
  readonly #show: KeptShow;
  readonly #held: Held[] = [];
  #number = 0;
  #markers = 0;
  /** How far the server's clock is behind. */
  #behindMs = 0;

  constructor(show: KeptShow) {
    this.#show = show;
  }

  async take(step: Step): Promise<void> {
    const show = this.#show;
    const { clock, deps } = show.engine;
    if (step.type === 'air') {
      const numbers = Array.from({ length: step.segments }, () => this.#number++);
      await this.#accompany(numbers, step.hours * HOUR_MS);
      await show.air(numbers, Math.max(4000, step.hours * HOUR_MS));
    } else if (step.type === 'pass') clock.nowMs += step.hours * HOUR_MS;
    else if (step.type === 'set back') {
      clock.nowMs -= step.hours * HOUR_MS;
      this.#behindMs += step.hours * HOUR_MS;
    } else if (step.type === 'keep') await show.keep(step.retention);
    else if (step.type === 'mark') {
      const atMs = START_MS + step.at * Math.max(0, clock.nowMs - START_MS);
      const id = `m${this.#markers++}`;
      const at = new Date(atMs).toISOString();
      await putMarkers(deps, show.stream, [{ id, class: step.class, at }]);
      await show.work();
    } else if (step.type === 'end') await show.end();
    else await show.retain();
  }

  /** What lies beside segments: captions, files that viewers have asked for, clips. */
  async #accompany(numbers: readonly number[], everyMs: number): Promise<void> {
    const { stream, engine, work } = this.#show;
    const { deps, clock } = engine;
    const { nowMs } = clock;
    for (const [index, number] of numbers.entries()) {
      const atMs = nowMs + index * Math.max(4000, everyMs);
      const [from, to] = [atMs, atMs + 2000].map((ms) => new Date(ms).toISOString());
      const cue = { from: from ?? '', to: to ?? '', text: `Segment ${number}` };
      await putCues(deps, stream, { language: 'de' }, [cue]);
      await putClosedCaptions(deps, stream, { run: 1, number }, []);
      const name = `1-${String(number).padStart(10, '0')}-x`;
      for (const file of [`files/${name}.mp4`, `pictures/${name}.jpg`, `thumbnails/${name}.jpg`]) {
        await deps.media.put(`media/show/u1/${file}`, Buffer.alloc(1), 'video/mp4');
      }
      const clip = { id: `clip${number}`, fromMs: atMs, toMs: atMs + 1000 };
      if (number % 5 === 0) await putSavedClip(deps, stream, clip);
    }
    await work();
  }

  async load(): Promise<void> {
    const { offered, viewer, state } = this.#show;
    const address = await offered().catch(() => undefined);
    if (address === undefined) return;
    const query = new URLSearchParams(address.split('?')[1]);
    const view = query.get('view') === 'vod' ? 'vod' : 'live';
    const [broadcast, kept] = ['broadcast', 'kept'].map((name) => query.get(name));
    // The address that new viewers are given, and those that others had before.
    const current = (await state()).kept?.version ?? 0;
    assert.ok(view === 'live' || Number(kept ?? 0) === current);
    for (const version of [current, current - 1, current - 2, current - 3]) {
      try {
        const { document } = await viewer.media(
          'show',
          '720p',
          view,
          Number(broadcast ?? 1),
          version,
        );
        const names = [...document.text.matchAll(/^\/(media\/.*)$/gm)].map(([, key]) => key ?? '');
        assert.ok(names.length > 0, 'an empty playlist');
        this.#held.push({ names, atMs: this.#nowMs(), what: `${view} ${version} of ${address}` });
      } catch (error) {
        if (!(error instanceof PlaylistMoved)) throw error;
      }
    }
  }

  #nowMs(): number {
    return this.#show.engine.clock.nowMs + this.#behindMs;
  }

  async check(): Promise<void> {
    const stored = new Set(await this.#show.objects());
    for (const { names, atMs, what } of this.#held) {
      if (this.#nowMs() - atMs >= HELD_MS) continue;
      assert.deepEqual(
        names.filter((name) => !stored.has(name)),
        [],
        what,
      );
    }
    const { storedBytes = 0, poster } = await this.#show.state();
    const sources = [...stored].filter((key) => key.startsWith('source/')).length;
    const pieces = [...stored].filter((key) => key.endsWith('.m4s')).length;
    assert.equal(storedBytes, 10 * sources + 5 * pieces, 'what the owner is told');
    assert.ok(poster === undefined || stored.has(poster), 'the poster that is shown');
  }

  /** Long after all: nothing that has expired is left, and what is left is listed. */
  async finish(): Promise<void> {
    const show = this.#show;
    await show.air([this.#number]);
    await show.end();
    await show.keep({ days: 1 });
    for (let day = 0; day < 5; day += 1) {
      show.engine.clock.nowMs += 50 * HOUR_MS;
      await show.retain();
      await this.check();
    }
    assert.deepEqual(await show.objects(), [show.initKey]);
    const kinds = ['segment', 'outcome', 'timeline', 'removal', 'late', 'closed-captions'];
    assert.deepEqual(await show.recordsOf(...kinds, 'clip'), []);
    // Cues of a time that was still to come when the clock was set back wait for it.
    if (this.#behindMs > 0) return;
    // The newest change says where they end, and its cues stay with it.
    const { version = 0 } = (await show.state()).captions ?? {};
    const changes = (await show.recordsOf('captions-change')).map((sort) => Number(sort.slice(16)));
    assert.deepEqual(changes, version > 0 ? [version] : []);
    assert.equal((await show.recordsOf('captions')).length, changes.length);
  }
}

test('no playlist that a viewer may still play names what was removed, and nothing is left in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(steps, { minLength: 15, maxLength: 40 }),
      retentions,
      fc.constantFrom(null, 60, 7200, 400_000),
      async (taken, retention, dvrWindowSeconds) => {
        const show = await keptShow(memoryEngine(), retention, { dvrWindowSeconds });
        const simulation = new Simulation(show);
        for (const step of taken) {
          await simulation.take(step);
          await simulation.check();
          await simulation.load();
        }
        await simulation.finish();
      },
    ),
    { numRuns: 60 },
  );
});
