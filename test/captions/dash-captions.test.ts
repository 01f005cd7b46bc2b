import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import fc from 'fast-check';
import { dashSegmentHandler } from '../../lambdas/api/dash-segment.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { boxesAt, viewOf } from '../../lib/media/iso-boxes.ts';
import { type CmafSample, parseCmaf } from '../../lib/media/mux/cmaf.ts';
import { webVttFragment, webVttInit } from '../../lib/media/mux/webvtt-track.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { readMpd } from '../support/mpd-judge.ts';
import { publish } from '../support/outcomes.ts';
import { captionedStream } from './caption-set-up.ts';

type Shown = Readonly<{ from: number; to: number; lines: readonly string[] }>;

/** The samples of a fragment: times in ticks, and of each cue what its boxes say. */
function shownBy(fragment: Uint8Array): Shown[] {
  const { samples, endTicks } = parseCmaf(fragment);
  return samples.map((sample, index) => ({
    from: sample.ptsTicks,
    to: samples[index + 1]?.ptsTicks ?? endTicks,
    lines: cuesOf(sample),
  }));
}

function cuesOf({ bytes }: CmafSample): string[] {
  const textOf = (type: string, cue: ReturnType<typeof boxesAt>[number]): string[] =>
    boxesAt(bytes, [type], cue).map((one) =>
      Buffer.from(bytes.subarray(one.bodyStart, one.end)).toString(),
    );
  return boxesAt(bytes, ['vttc']).map((cue) =>
    ['sttg', 'payl'].flatMap((type) => textOf(type, cue)).join(' '),
  );
}

const withText = (shown: readonly Shown[]) =>
  shown.filter(({ lines }) => lines.length > 0).map(({ from, to, lines }) => [from, to, ...lines]);

describe('WebVTT in a fragment', () => {
  test('has its samples side by side, each with all cues of its span, or empty', () => {
    const cues = [
      { key: 'a', from: 100, to: 300, text: 'one', settings: 'line:0' },
      { key: 'b', from: 200, to: 999, text: '<i>two</i>\n&amp;' },
    ];
    const fragment = webVttFragment(cues, 0, 400);
    assert.deepEqual(shownBy(fragment), [
      { from: 0, to: 100, lines: [] },
      { from: 100, to: 200, lines: ['line:0 one'] },
      { from: 200, to: 300, lines: ['line:0 one', '<i>two</i>\n&amp;'] },
      { from: 300, to: 400, lines: ['<i>two</i>\n&amp;'] },
    ]);
    const [first, second] = parseCmaf(fragment).samples;
    assert.equal(Buffer.from(first?.bytes ?? []).toString('latin1'), '\0\0\0\x08vtte');
    const [id, again] = [second, parseCmaf(fragment).samples[2]].map((sample) => {
      const [box] = boxesAt(sample?.bytes ?? new Uint8Array(), ['vttc', 'vsid']);
      return box && Buffer.from(sample?.bytes.subarray(box.bodyStart, box.end) ?? []);
    });
    assert.deepEqual(id, again, 'the parts of a cue have one source id');
    assert.deepEqual(shownBy(webVttFragment([], 5, 9)), [{ from: 5, to: 9, lines: [] }]);
  });

  test('says the size of each sample, also of one alone: Shaka Player reads a single cue without it', () => {
    const cues = ['one', 'two'].map((text) => ({ key: text, from: 0, to: 9, text }));
    const fragment = webVttFragment(cues, 0, 9);
    const [run] = boxesAt(fragment, ['moof', 'traf', 'trun']);
    assert.ok(run);
    assert.equal(viewOf(fragment).getUint32(run.bodyStart) & 0x200, 0x200);
    assert.deepEqual(shownBy(fragment), [{ from: 0, to: 9, lines: ['one', 'two'] }]);
  });

  test('whatever the cues, shows each at its times and nothing else', () => {
    const cue = fc.record({ from: fc.nat(50), ticks: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(cue, { maxLength: 8 }), (drawn) => {
        const cues = drawn.map(({ from, ticks }, index) => {
          return { key: `${index}`, from, to: from + ticks, text: `cue ${index}` };
        });
        const shown = shownBy(webVttFragment(cues, 10, 60));
        for (let tick = 0; tick < 100; tick += 1) {
          const now = shown.filter(({ from, to }) => from <= tick && tick < to);
          assert.ok(now.length <= 1);
          const expected = cues.filter(({ from, to }) => from <= tick && tick < Math.min(to, 60));
          assert.deepEqual(
            now.flatMap(({ lines }) => lines),
            expected.map(({ text }) => text),
          );
        }
      }),
    );
  });

  test('is bounded, however many cues overlap', () => {
    const cues = Array.from({ length: 1000 }, (_, index) => {
      return { key: `${index}`, from: index, to: 9000 + index, text: 'x'.repeat(2000) };
    });
    assert.ok(webVttFragment(cues, 0, 10_000).byteLength < 1_100_000);
  });

  test('follows an init segment that names WebVTT', () => {
    const [description] = boxesAt(webVttInit(), ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']);
    const body = webVttInit().subarray(description?.bodyStart, description?.end);
    assert.match(Buffer.from(body).toString('latin1'), /wvtt.*vttCWEBVTT$/s);
  });
});

/** Reads a track as a player does: by the MPD, over the redirects. */
async function setUp(t: TestContext) {
  const stream = await captionedStream(t);
  const redirect = dashSegmentHandler(stream.engine.deps);
  async function follow(uri: string) {
    const [, , , videoId, rendition, period, segment] = uri.split('/');
    const event = { headers: {}, pathParameters: { videoId, rendition, period, segment } };
    const answer = await redirect(event as unknown as HttpEvent, {} as Context);
    assert.equal(answer.statusCode, 302, answer.body);
    const location = String(answer.headers?.location);
    const found = await stream.segment(location);
    assert.equal(found.headers?.['content-type'], 'application/mp4');
    return { location, shown: shownBy(Buffer.from(found.text, 'base64')) };
  }
  async function track(name = 'captions-de', view?: 'vod') {
    const { periods } = readMpd((await stream.viewer.dash('show', view)).document.text);
    const representations = periods.flatMap(({ sets }) =>
      sets.flatMap((set) => set.representations.filter(({ id }) => id === name)),
    );
    const segments = representations.flatMap((one) => one.segments);
    const parts = [];
    for (const { uri } of segments) parts.push(await follow(uri));
    return { inits: representations.map(({ init }) => init), parts };
  }
  const publishTime = async (): Promise<string> =>
    readMpd((await stream.viewer.dash('show')).document.text).attributes.publishTime ?? '';
  return { ...stream, follow, track, publishTime };
}

const cue = (from: number, to: number, text: string) => ({ cues: [{ from, to, text }] });
const ticks = (seconds: number): number => 90_000 * (10 + seconds);

describe('captions of an MPD', () => {
  test('have a segment for each entry, in which cues are cut', async (t) => {
    const { upload, send, track, segment, publishTime } = await setUp(t);
    await upload(0);
    const published = await publishTime();
    await send(cue(3, 5, 'over the cut'));
    assert.ok((await publishTime()) > published, 'a track that is new makes a new MPD');
    await upload(1);
    await upload(0, 2);
    const { inits, parts } = await track();
    assert.deepEqual(inits, Array(2).fill('/viewstream/captions/show/captions-de/init.mp4'));
    const init = await segment(inits[0] ?? '');
    assert.equal(init.text, Buffer.from(webVttInit()).toString('base64'));
    assert.equal(init.headers?.['cache-control'], 'public, max-age=31536000, immutable');
    assert.deepEqual(
      parts.map(({ location, shown }) => [location.split('/').at(-1), withText(shown)]),
      [
        ['u1-0-1-1.m4s', [[ticks(3), ticks(4), 'over the cut']]],
        ['u1-1-1-1.m4s', [[ticks(4), ticks(5), 'over the cut']]],
        ['u1-2-1-1.m4s', []],
      ],
    );
  });

  test('that come late are in the next live segment, and at their place in the recording', async (t) => {
    const { engine, stream, upload, send, track } = await setUp(t);
    await send(cue(0, 1, 'first'));
    await upload(0);
    await upload(1);
    const before = (await track()).parts;
    await send(cue(3, 9, 'late'));
    await upload(2);
    const live = (await track()).parts;
    assert.deepEqual(live.slice(0, 2), before, 'what was listed stays');
    assert.deepEqual(
      live.map(({ shown }) => withText(shown)),
      [
        [[ticks(0), ticks(1), 'first']],
        [],
        [
          [ticks(3), ticks(8), 'late'],
          [ticks(8), ticks(9), 'late'],
        ],
      ],
    );
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const { parts } = await track('captions-de', 'vod');
    assert.deepEqual(
      parts.map(({ location, shown }) => [location.split('/').at(-1), withText(shown)]),
      [
        [
          'u1-0-2-2.m4s',
          [
            [ticks(0), ticks(1), 'first'],
            [ticks(3), ticks(4), 'late'],
          ],
        ],
        ['u1-1-2-2.m4s', [[ticks(4), ticks(8), 'late']]],
        ['u1-2-2-2.m4s', [[ticks(8), ticks(9), 'late']]],
      ],
    );
  });

  test('are in the recording also of a segment that came late itself', async (t) => {
    const { engine, stream, upload, send, track } = await setUp(t);
    await upload(0);
    await send(cue(5, 6, 'missing'));
    await upload(2);
    engine.clock.nowMs += 9000;
    await publish(engine, stream);
    await upload(1);
    assert.equal((await track()).parts.length, 2);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const { parts } = await track('captions-de', 'vod');
    assert.deepEqual(
      parts.map(({ location, shown }) => [location.split('/').at(-1), withText(shown)]),
      [
        ['u1-0-1-1.m4s', []],
        [`u1-late.1.1.${ticks(4)}-1-1.m4s`, [[ticks(5), ticks(6), 'missing']]],
        ['u1-2-1-1.m4s', []],
      ],
    );
  });
});
