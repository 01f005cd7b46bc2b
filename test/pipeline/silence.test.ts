import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Stream } from '../../lib/domain/stream.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { PIDS, pidOf, splitPackets } from '../support/ts-mangler.ts';

const SETTINGS = { ladder: [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }] };

async function begin(t: TestContext): Promise<{ engine: TestEngine; stream: Stream }> {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const stream = { ...made, settings: { ...made.settings, ...SETTINGS } };
  await engine.records.createStream(stream);
  return { engine, stream };
}

async function uploadAndPublish(
  { deps, records, workFolder }: TestEngine,
  { videoId, uid }: Stream,
  number: number,
  bytes: Uint8Array,
): Promise<void> {
  const stream = (await records.findStream(videoId)) ?? assert.fail();
  await uploadSegment(deps, stream, { number, bytes, pushed: false });
  const body = JSON.stringify({ kind: 'transcode', videoId, uid, run: 1, number });
  const signal = new AbortController().signal;
  assert.equal(await JOBS.run(deps, body, { workFolder, signal }), 'done');
  await publishStream(deps, { videoId, uid });
}

/** First and last tick of what each entry's segment holds. */
async function listed({ deps }: TestEngine, rendition: string) {
  const { document } = await createViewer(deps).media('show', rendition, 'live');
  const { segments } = parseMediaWithHls(document.text);
  const load = async (address = ''): Promise<Uint8Array> =>
    (await deps.media.get(new URL(address, 'http://x/').pathname.slice(1))) ?? assert.fail(address);
  return Promise.all(
    segments.map(async ({ uri, mapUri, gap }) => {
      assert.equal(gap, false);
      const track = parseCmaf(Buffer.concat([await load(mapUri), await load(uri)]));
      return [track.startTicks, track.endTicks, track.samples.length];
    }),
  );
}

describe('sound that begins late, and ends early', () => {
  test('is silence up to its start and from its end on, in a rendition for each language, frame by frame', async (t) => {
    const { engine, stream } = await begin(t);
    const clip = { seconds: 10, size: '160x90' } as const;
    const silent = await makeSegments({ ...clip, audio: 'none' });
    const sounded = await makeSegments({ ...clip, languages: ['eng', 'deu'] });
    const bytesOf = (number: number) =>
      (number === 2 || number === 3 ? sounded : silent).segments[number]?.bytes ?? assert.fail();
    for (const number of [0, 1, 2, 3, 4]) {
      await uploadAndPublish(engine, stream, number, bytesOf(number));
    }
    const run = await engine.records.getRun(stream, 1);
    assert.deepEqual(
      run?.audio.map(({ language }) => language),
      ['en', 'de'],
    );
    // Frames of 1,024 samples; those of the silence abut those that the encoder sent.
    const expected = [
      [550_400, 646_656, 94],
      [646_656, 742_912, 94],
      [742_912, 836_096, 91],
      [836_096, 931_328, 93],
      [931_328, 1_030_656, 97],
    ];
    assert.deepEqual(await listed(engine, 'audio'), expected);
    assert.deepEqual(await listed(engine, 'audio-2'), expected);
  });

  test('a language that comes when another has left gets a rendition of its own', async (t) => {
    const { engine, stream } = await begin(t);
    const clip = { seconds: 6, size: '160x90' } as const;
    const both = await makeSegments({ ...clip, languages: ['eng', 'deu'] });
    const silent = await makeSegments({ ...clip, audio: 'none' });
    const [first, second, third] = [silent, both, both].map(
      ({ segments }, number) => segments[number]?.bytes ?? assert.fail(),
    );
    const german = splitPackets(third ?? assert.fail());
    const alone = german.filter((packet) => pidOf(packet) !== PIDS.audio);
    for (const [number, bytes] of [first, second, Buffer.concat(alone)].entries()) {
      await uploadAndPublish(engine, stream, number, bytes ?? assert.fail());
    }
    const outcome = await engine.records.findOutcome(stream, 1, 2);
    const names = outcome?.type === 'rendered' ? Object.keys(outcome.renditions) : [];
    assert.deepEqual(names, ['90p', 'audio-2']);
  });
});
