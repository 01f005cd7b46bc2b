import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import {
  appendedMoments,
  appendsOf,
  decodeMoments,
  flashAndBeep,
  lipSyncOf,
  recordAppends,
  reorderedVideo,
} from '../support/lip-sync.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const SECONDS = 6;
/** Long enough for a machine that several test runs share: what is waited for is a condition. */
const WAIT_MS = 120_000;
/** A quarter of a frame; viewers notice 40 ms (EBU R37). */
const TOLERANCE_SECONDS = 0.01;
const HLS_JS = createRequire(import.meta.url).resolve('hls.js');

type Source = Readonly<{ rate: string; type: 'mpegts' | 'fmp4'; isOpen?: boolean; runs?: number }>;

const AT_25_FPS: Source = { rate: '25', type: 'mpegts' };
const WITH_DISCONTINUITY: Source = { rate: '25', type: 'fmp4', runs: 2 };

const SOURCES: Readonly<Record<string, Source>> = {
  'MPEG-TS at 25 fps': AT_25_FPS,
  'MPEG-TS at 29.97 fps with open GOPs': { rate: '30000/1001', type: 'mpegts', isOpen: true },
  'fMP4 at 25 fps, behind a discontinuity': WITH_DISCONTINUITY,
};

describe('picture and sound are as far apart as at the source', () => {
  let system: TestSystem;
  const ends: (() => unknown)[] = [];
  before(async () => {
    system = await startTestSystem({ after: (end) => ends.unshift(end) });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** Pushed, ended and listed; with what the source itself says. */
  async function record(id: string, { rate, type, isOpen, runs = 1 }: Source) {
    const folder = await temporaryFolder({ after: (end) => ends.unshift(end) });
    const made = join(folder, 'source.mp4');
    const url = `${system.urlWithKey}/upload/${id}/live.m3u8`;
    for (let pushed = 0; pushed < runs; pushed += 1) {
      const hls = ['-f', 'hls', '-hls_time', '2', '-hls_segment_type', type, '-method', 'PUT'];
      // Other bytes each time: the same ones would be a repeated upload.
      const quality = ['-crf', String(23 + 5 * pushed)];
      const encoder = [...reorderedVideo(rate, isOpen), ...quality];
      await ffmpeg([...flashAndBeep(rate, SECONDS), ...encoder, made]);
      await ffmpeg(['-i', made, '-c', 'copy', ...hls, url]);
    }
    await system.fetch(`/upload/${id}/end`, { method: 'POST' });
    await waitFor(
      'the end for viewers',
      async () => {
        const answer = await fetch(`${system.url}/viewstream/metadata/${id}.m3u8`);
        return (await answer.text()).includes('view=vod');
      },
      WAIT_MS,
    );
    const own = lipSyncOf(await decodeMoments(['-i', made]));
    assert.equal(own.length, SECONDS);
    return { watched: `${system.url}/viewstream/metadata/${id}.m3u8`, source: own[0] ?? 0 };
  }

  const assertClose = (found: readonly number[], source: number, count: number): void => {
    const errors = found.map((offset) => Math.round((offset - source) * 1000));
    assert.ok(found.length >= count, `${found.length} flashes: ${errors}`);
    const worst = Math.max(...errors.map(Math.abs));
    assert.ok(worst <= TOLERANCE_SECONDS * 1000, `off by ${errors} ms`);
  };

  for (const [what, source] of Object.entries(SOURCES)) {
    test(`in ffmpeg, mpv and all that is built on libav: ${what}`, async () => {
      const { watched, source: own } = await record(`libav-${what.replace(/\W+/g, '-')}`, source);
      const found = lipSyncOf(await decodeMoments(['-i', watched]));
      assertClose(found, own, SECONDS * (source.runs ?? 1) - 2);
    });
  }

  const skip = withoutChromium();
  const IN_BROWSER: readonly (Source & { what: string; startSeconds: number })[] = [
    { ...AT_25_FPS, what: 'from the start', startSeconds: 0 },
    { ...AT_25_FPS, what: 'from the middle', startSeconds: 3.2 },
    { ...WITH_DISCONTINUITY, what: 'over a discontinuity', startSeconds: 0 },
    { ...WITH_DISCONTINUITY, what: 'from behind a discontinuity', startSeconds: 8.2 },
  ];
  for (const { what, startSeconds, ...given } of IN_BROWSER) {
    test(`to the end in a browser with hls.js, ${what}`, { skip }, async (t) => {
      const { watched, source } = await record(`hls-js-${what.replaceAll(' ', '-')}`, given);
      const browser = await launchChromium();
      t.after(() => browser.close());
      const page = await browser.newPage();
      await recordAppends(page);
      await page.goto(`${system.url}/healthz`);
      await page.setContent('<video muted></video>');
      await page.addScriptTag({ path: HLS_JS });
      await page.evaluate(`
        const hls = new Hls({ startPosition: ${startSeconds} });
        hls.loadSource(${JSON.stringify(watched)});
        const video = document.querySelector('video');
        hls.attachMedia(video);
        video.play();
      `);
      const hasEnded = () => page.evaluate<boolean>("document.querySelector('video').ended");
      await waitFor('the end in the browser', hasEnded, WAIT_MS);
      const found = lipSyncOf(await appendedMoments(await appendsOf(page)));
      const seconds = SECONDS * (given.runs ?? 1) - Math.ceil(startSeconds);
      assertClose(found, source, seconds - (given.runs ?? 1));
    });
  }
});
