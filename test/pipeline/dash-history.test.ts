import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSegmentAddress } from '../../lib/domain/dash-addresses.ts';
import { THUMBNAIL_IMAGES } from '../../lib/domain/pictures/trick-play.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { putCues } from '../../lib/pipeline/captions/edit-captions.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { publishCaptions } from '../../lib/pipeline/publish/publish-captions.ts';
import { putStream } from '../../lib/pipeline/streams.ts';
import { findSegment } from '../../lib/pipeline/view/dash-segment.ts';
import { createViewer, type Viewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { type ReadMpd, type ReadSegment, readMpd } from '../support/mpd-judge.ts';
import { acknowledge, publish, SEGMENT_TICKS, settle } from '../support/outcomes.ts';

const WINDOWS_SECONDS = [12, 32, null] as const;
const CAPTIONS = 'captions-de';
const LISTS = ['720p', '360p', CAPTIONS, THUMBNAIL_IMAGES];

/**
 * One thing that happens: the next segment is uploaded and comes from its worker, with all rungs or with the
 * small one, or is missing until `late`; time passes; a cue is sent; the encoder starts anew; it ends; the
 * window is changed.
 */
const event = fc.oneof(
  { weight: 12, arbitrary: fc.constant('next' as const) },
  { weight: 2, arbitrary: fc.constant('small' as const) },
  { weight: 2, arbitrary: fc.constant('missing' as const) },
  { weight: 2, arbitrary: fc.constant('late' as const) },
  { weight: 4, arbitrary: fc.constant('wait' as const) },
  { weight: 3, arbitrary: fc.constant('cue' as const) },
  { weight: 2, arbitrary: fc.constant('restart' as const) },
  { weight: 1, arbitrary: fc.constant('end' as const) },
  { weight: 1, arbitrary: fc.constantFrom(...WINDOWS_SECONDS) },
);

test('MPDs: whatever happens, each one follows from the one before, and lists the objects that HLS does', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 10, maxLength: 40 }),
      fc.constantFrom(...WINDOWS_SECONDS),
      async (events, dvrWindowSeconds) => {
        const engine = await testEngine(t);
        const made = newStream('show', START_MS);
        const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds };
        const stream = { ...made, settings };
        await engine.records.createStream(stream);
        const viewer = createViewer(engine.deps);
        const missing: (readonly [run: number, number: number])[] = [];
        let run = 1;
        let number = 0;
        let before: ReadMpd | undefined;
        let textBefore: string | undefined;
        for (const [step, what] of events.entries()) {
          engine.clock.nowMs += 1;
          if (what === 'next' || what === 'small') {
            await acknowledge(engine, stream, run, number);
            const rungs = what === 'small' ? (['360p'] as const) : undefined;
            const thumbnails = spriteOf(run, number);
            await settle(engine, stream, run, number, rungs, { thumbnails });
            number += 1;
          } else if (what === 'missing') {
            missing.push([run, number]);
            number += 1;
          } else if (what === 'late') {
            const [late] = missing.splice(0, 1);
            if (!late) continue;
            await acknowledge(engine, stream, ...late);
            await settle(engine, stream, ...late);
          } else if (what === 'wait') {
            engine.clock.nowMs += 9000;
            await publish(engine, stream);
          } else if (what === 'cue') {
            const fromMs = engine.clock.nowMs - 3000;
            const [from = '', to = ''] = [fromMs, fromMs + 5000].map((ms) => new Date(ms).toJSON());
            const input = { id: `${step}`, from, to, text: 'cue' };
            await putCues(engine.deps, stream, { language: 'de' }, [input]);
            await publishCaptions(engine.deps, stream, [{ track: CAPTIONS, set: `cue/${step}` }]);
          } else if (what === 'restart') {
            run += 1;
            number = 0;
          } else if (what === 'end') {
            await requestEnd(engine.deps, stream, 'call');
            await publish(engine, stream);
          } else {
            await putStream(engine.deps, 'show', { dvrWindowSeconds: what }, false);
            await publish(engine, stream);
          }
          const shown = await viewer.dash('show', undefined, 1).catch(() => undefined);
          if (!shown) continue;
          const cold = await createViewer(engine.deps).dash('show', undefined, 1);
          assert.equal(shown.document.text, cold.document.text, 'warm and cold say the same');
          const now = readMpd(shown.document.text);
          // Another window is no other media: it has the time of what it is of. It shortens what has ended, too.
          const isWindow = typeof what !== 'string';
          requireStable(before, now, isWindow);
          if (!isWindow && shown.document.text !== textBefore) requireNewer(before, now);
          for (const list of LISTS) {
            const listed = await listedBy(viewer, list, 'live');
            if (listed) assert.equal(segmentsOf(now, list).length, listed.length, list);
          }
          before = now;
          textBefore = shown.document.text;
        }
        if (!before) return;
        await requireSameObjects(engine, viewer, before, 'live');
        await requestEnd(engine.deps, stream, 'call');
        await publish(engine, stream);
        const recording = await viewer.dash('show', 'vod').catch(() => undefined);
        if (!recording || (await viewer.state('show')).state !== 'ended') return;
        await requireSameObjects(engine, viewer, readMpd(recording.document.text), 'vod');
      },
    ),
    { numRuns: 10 },
  );
});

/** Of an updated MPD (ISO/IEC 23009-1, 5.4.1): what stays has its id, its start and its times. */
function requireStable(before: ReadMpd | undefined, now: ReadMpd, isWindow: boolean): void {
  if (!before) return;
  const { availabilityStartTime, type } = before.attributes;
  if (type === 'static' && !isWindow)
    assert.deepEqual(mediaOf(now), mediaOf(before), 'what has ended stays');
  if (now.attributes.type === 'dynamic') {
    assert.equal(now.attributes.availabilityStartTime, availabilityStartTime);
    assert.ok((now.attributes.publishTime ?? '') >= (before.attributes.publishTime ?? ''));
  }
  const periods = new Map(now.periods.map((period) => [period.id, period]));
  const kept = before.periods.filter(({ id }) => periods.has(id));
  assert.deepEqual(kept, before.periods.slice(-kept.length || before.periods.length));
  for (const { id, startSeconds, offsetTicks, sets } of kept) {
    const period = periods.get(id);
    assert.deepEqual([period?.startSeconds, period?.offsetTicks], [startSeconds, offsetTicks]);
    for (const { id: name, init, segments } of sets.flatMap((set) => set.representations)) {
      const later = period?.sets
        .flatMap((set) => set.representations)
        .find((representation) => representation.id === name);
      const first = later?.segments[0]?.startTicks ?? Number.POSITIVE_INFINITY;
      const listed = segments.filter(({ startTicks }) => startTicks >= first);
      const rest = later?.segments ?? [];
      assert.deepEqual(rest.slice(0, listed.length), listed);
      const lastTicks = segments.at(-1)?.startTicks ?? 0;
      const added = rest.slice(listed.length);
      assert.ok(added.every(({ startTicks }) => startTicks > lastTicks));
      if (later) assert.equal(later.init, init);
    }
  }
}

/** MPD@publishTime is another one in each that differs (5.3.1.2): players and caches tell them apart by it. */
function requireNewer(before: ReadMpd | undefined, { attributes: now }: ReadMpd): void {
  const { publishTime } = before?.attributes ?? {};
  if (publishTime === undefined || now.publishTime === undefined) return;
  assert.ok(now.publishTime > publishTime, 'MPD@publishTime grows');
}

/** Captions may come after the end. */
const mediaOf = ({ periods, ...mpd }: ReadMpd) => ({
  ...mpd,
  periods: periods.map((period) => ({
    ...period,
    sets: period.sets.filter(({ attributes }) => attributes.contentType !== 'text'),
  })),
});

/** Each address leads to what HLS lists of the same, or to nothing where a rendition has a fallback's. */
async function requireSameObjects(
  { deps }: TestEngine,
  viewer: Viewer,
  mpd: ReadMpd,
  view: 'live' | 'vod',
): Promise<void> {
  for (const list of LISTS) {
    const listed = await listedBy(viewer, list, view);
    if (!listed) continue;
    const found = await Promise.all(segmentsOf(mpd, list).map((segment) => keyOf(deps, segment)));
    assert.deepEqual(found, listed);
  }
}

/** What HLS lists of its own, as DASH addresses it. */
async function listedBy(viewer: Viewer, list: string, view: 'live' | 'vod') {
  const listed = await viewer.media('show', list, view).catch(() => undefined);
  if (!listed) return undefined;
  return parseMediaWithHls(listed.document.text).segments.flatMap(({ uri, gap }) => {
    const isOwn = !uri.includes('p/') || uri.includes(`/${list}/`);
    // A fragment has only what is shown during its entry: none goes beyond its period.
    return gap || !isOwn ? [] : [uri.replace(/(-cut)?\.vtt$/, '.m4s')];
  });
}

function segmentsOf({ periods }: ReadMpd, list: string): ReadSegment[] {
  const isOf = (id: string) => id === list || (list === THUMBNAIL_IMAGES && id.startsWith('thumb'));
  return periods.flatMap(({ sets }) =>
    sets
      .flatMap(({ representations }) =>
        representations.flatMap(({ id, segments }) => (isOf(id) ? segments : [])),
      )
      .toSorted((a, b) => a.startTicks - b.startTicks),
  );
}

/** One or two pictures, by the number. */
const spriteOf = (run: number, number: number) => ({
  ...{ key: `media/v/thumbnails/${run}-${number}.jpg`, sizeBytes: 1000 },
  ...{ columns: 1 + (number % 2), widthPx: 240, heightPx: 135 },
  intervalTicks: SEGMENT_TICKS / (1 + (number % 2)),
});

async function keyOf(deps: TestEngine['deps'], { uri }: ReadSegment): Promise<string> {
  const [, videoId = '', rendition = '', period = '', segment = ''] =
    uri.match(/^\/viewstream\/segment\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)$/) ?? [];
  const address = parseSegmentAddress(period, segment) ?? assert.fail(uri);
  return `/${await findSegment(deps, { videoId, rendition, ...address })}`;
}
