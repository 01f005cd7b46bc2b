import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ticksToMs } from '../../lib/domain/ticks.ts';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { decodeMoments, flashAndBeep, lipSyncOf, reorderedVideo } from '../support/lip-sync.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';
import { openWatchPage, until } from '../web/watch-page-driver.ts';

const SECONDS = 14;
const RATE = '25';
const WAIT_MS = 120_000;
const TOLERANCE_MS = 10;
const LADDER = [{ name: '180p', shortSidePx: 180, maxrateBps: 300_000 }];
/** By the clocks of both encoders, where the source begins. */
const START_MS = Date.now() - 60_000;
/** Its first, and one in the middle, where it is gone: it comes back as another session. */
const NEVER_SENT = [0, 3];

/** Dubs of other codecs, by language. */
const ENCODED: Readonly<Record<string, readonly string[]>> = {
  de: ['-c:a', 'libmp3lame', '-b:a', '128k'],
  es: ['-c:a', 'eac3'],
  it: ['-c:a', 'ac3', '-b:a', '192k'],
};

type Part = Readonly<{ bytes: Uint8Array<ArrayBuffer>; atMs: number }>;

describe('a stream with a French dub from an encoder of its own, which comes late, leaves and comes back', () => {
  let system: TestSystem;
  let folder: string;
  let ownSync: number;
  const ends: (() => unknown)[] = [];

  before(async () => {
    const scope = { after: (end: () => unknown) => ends.unshift(end) };
    system = await startTestSystem(scope);
    folder = await temporaryFolder(scope);
    const source = join(folder, 'source.mp4');
    await ffmpeg([...flashAndBeep(RATE, SECONDS), ...reorderedVideo(RATE), source]);
    const [own] = lipSyncOf(await decodeMoments(['-i', source]));
    ownSync = own ?? assert.fail();
    const video = await cut(source, 'video', 2);
    // Their segments have another length.
    const french = await cut(source, 'french', 1.3);
    const encoded = await Promise.all(
      Object.entries(ENCODED).map(async ([language, codec]) => {
        return [language, await cut(source, language, 1.7, codec)] as const;
      }),
    );
    const settings = { ladder: LADDER, targetDurationSeconds: 2, dvrWindowSeconds: null };
    await system.fetch('/streams/show', { method: 'PUT', body: JSON.stringify(settings) });
    const sendFrench = async (numbers: readonly number[]): Promise<void> => {
      for (const number of numbers) {
        const session = number < 3 ? 'dub' : 'dub-again';
        const query = `segment=${number}&session=${session}&kind=audio&lang=fre`;
        await upload(french[number] ?? assert.fail(), query);
      }
    };
    let sent = 0;
    for (const [number, part] of video.entries()) {
      await upload(part, `segment=${number}&session=video`);
      const due = french.flatMap(({ atMs }, index) =>
        index >= sent && atMs < part.atMs + 2000 && !NEVER_SENT.includes(index) ? [index] : [],
      );
      // Out of order, and one of them twice.
      await sendFrench([...due.toReversed(), ...due.slice(0, 1)]);
      sent = Math.max(sent, ...due.map((index) => index + 1));
    }
    for (const [language, parts] of encoded) {
      for (const [number, part] of parts.entries()) {
        await upload(part, `segment=${number}&session=dub&kind=audio&lang=${language}`);
      }
    }
    await waitFor(
      'all segments in the playlists',
      async () => (await listed('audio-fr')).length === video.length,
      WAIT_MS,
    );
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** All times of the source, and ten seconds: times that are negative would be moved. */
  async function cut(
    source: string,
    kind: string,
    seconds: number,
    codec: readonly string[] = [],
  ): Promise<Part[]> {
    await ffmpeg([
      ...['-copyts', '-i', source, '-output_ts_offset', '10', '-muxdelay', '0', '-muxpreload', '0'],
      ...[...(kind === 'video' ? [] : ['-vn']), '-c', 'copy', ...codec],
      ...['-f', 'hls', '-hls_list_size', '0'],
      ...['-hls_time', String(seconds), '-hls_segment_filename', join(folder, `${kind}-%d.ts`)],
      join(folder, `${kind}.m3u8`),
    ]);
    const count = (await readdir(folder)).filter((name) => name.startsWith(`${kind}-`)).length;
    return Promise.all(
      Array.from({ length: count }, async (_, number): Promise<Part> => {
        const bytes = new Uint8Array(await readFile(join(folder, `${kind}-${number}.ts`)));
        const { video, audio } = await demuxSegment(bytes);
        const pictures = video?.frames.map(({ ptsTicks }) => ptsTicks) ?? [];
        const [first = 0] = [...pictures.sort((a, b) => a - b), audio[0]?.packets[0]?.startTicks];
        return { bytes, atMs: START_MS + ticksToMs(first) };
      }),
    );
  }

  async function upload({ bytes, atMs }: Part, query: string): Promise<void> {
    const at = new Date(Math.round(atMs)).toISOString();
    const options = { method: 'POST', body: bytes };
    const answer = await system.fetch(`/upload/show?${query}&at=${at}`, options);
    assert.ok(answer.ok, await answer.text());
  }

  async function listed(rendition: string, view = 'live') {
    const path = `/viewstream/metadata/show/${rendition}.m3u8?view=${view}`;
    const answer = await fetch(system.url + path);
    return answer.ok ? parseMediaWithHls(await answer.text()).segments : [];
  }

  /** All that the playlist of a rendition lists, as one file. */
  async function joined(rendition: string, view?: string): Promise<string> {
    const segments = await listed(rendition, view);
    const load = async (uri = ''): Promise<Buffer> =>
      Buffer.from(await (await fetch(new URL(uri, system.url))).arrayBuffer());
    const parts = await Promise.all(segments.map(({ uri }) => load(uri)));
    const path = join(folder, `${rendition}.mp4`);
    await writeFile(path, Buffer.concat([await load(segments[0]?.mapUri), ...parts]));
    return path;
  }

  test('flash and beep are as far apart as at the source, within 10 ms', async () => {
    const { flashes } = await decodeMoments(['-i', await joined('180p')], ['video']);
    const { beeps } = await decodeMoments(['-i', await joined('audio-fr')], ['audio']);
    assert.equal(flashes.length, SECONDS);
    const errors = lipSyncOf({ flashes, beeps }).map((sync) => Math.round((sync - ownSync) * 1000));
    // A beep in each of the two segments that were never sent.
    assert.equal(errors.length, SECONDS - NEVER_SENT.length);
    assert.ok(Math.max(...errors.map(Math.abs)) <= TOLERANCE_MS, `off by ${errors} ms`);
  });

  test('languages in MP3, E-AC-3 and AC-3, which came when all was listed, are as exact in the recording', async () => {
    await system.fetch('/upload/show/end', { method: 'POST' });
    for (const language of Object.keys(ENCODED)) {
      // Each flash that has a beep near it: there may be a click where the sound ends.
      const errorsOf = async () => {
        const { flashes } = await decodeMoments(['-i', await joined('180p', 'vod')], ['video']);
        const sound = await joined(`audio-${language}`, 'vod');
        const { beeps } = await decodeMoments(['-i', sound], ['audio']);
        return lipSyncOf({ flashes, beeps }).map((sync) => Math.round((sync - ownSync) * 1000));
      };
      const errors = await waitFor(
        `all of ${language}`,
        async () => {
          const isThere = (await listed(`audio-${language}`, 'vod')).length === SECONDS / 2;
          const found = isThere ? await errorsOf() : [];
          return found.length === SECONDS && found;
        },
        WAIT_MS,
      );
      const worst = Math.max(...errors.map(Math.abs));
      assert.ok(worst <= TOLERANCE_MS, `${language} is off by ${errors} ms`);
    }
  });

  test('a viewer who changes to it sees the picture go on', {
    skip: withoutChromium(),
  }, async (t) => {
    await waitFor(
      'the end for viewers',
      async () =>
        (await (await fetch(`${system.url}/viewstream/metadata/show`)).text()).includes('view=vod'),
      WAIT_MS,
    );
    const browser = await launchChromium();
    t.after(() => browser.close());
    const watch = await openWatchPage(browser, `${system.url}/watch/show`);
    // Its segments are held back: what is buffered of the other language has to go on meanwhile.
    const waiting: (() => void)[] = [];
    let isHeld = true;
    await watch.page.route(/\/media\/.*\/audio-fr\/[^i]/, async (route) => {
      if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve));
      await route.continue();
    });
    const answered: string[] = [];
    watch.page.on('response', (response) => {
      const [, rendition = ''] = response.url().match(/\/media\/.*\/(audio[a-z-]*)\/[^i]/) ?? [];
      answered.push(rendition);
    });
    await watch.watches();
    await watch.plays();
    await watch.page.evaluate(`
      const video = document.querySelector('video');
      window.stalls = [];
      for (const type of ['waiting', 'stalled', 'seeking', 'emptied', 'ended']) {
        video.addEventListener(type, () => stalls.push(type + ' at ' + video.currentTime));
      }
      window.samples = [];
      const sample = (nowMs) => {
        samples.push([nowMs / 1000, video.currentTime]);
        if (!window.isOver) requestAnimationFrame(sample);
      };
      requestAnimationFrame(sample);
    `);
    await watch.choose('audio', 'Français');
    await until('the other language is asked for', () => waiting.length > 0);
    await watch.plays();
    assert.ok(!answered.includes('audio-fr'));
    isHeld = false;
    for (const release of waiting) release();
    await until('the other language is loaded', () => answered.includes('audio-fr'));
    assert.equal(await watch.chosen('audio'), 'Français');
    await watch.plays();
    await watch.plays();
    const { stalls, samples } = (await watch.page.evaluate(
      '(window.isOver = true, { stalls, samples })',
    )) as { stalls: string[]; samples: [number, number][] };
    assert.deepEqual(stalls, []);
    // The clock of frames lags behind that of the picture on a busy machine, for a sample or two.
    const leads = samples.map(([now, time]) => time - now);
    for (const [index, lead] of leads.entries()) {
      const before = Math.max(...leads.slice(Math.max(0, index - 30), index));
      assert.ok(lead <= before + 0.25 || index === 0, `the picture jumped by ${lead - before} s`);
      const [, time = 0] = samples[index] ?? [];
      const [, timeBefore = time] = samples[index - 1] ?? [];
      assert.ok(time >= timeBefore, `the picture went back by ${timeBefore - time} s`);
    }
    assert.deepEqual(watch.problems, []);
  });
});
