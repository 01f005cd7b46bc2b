import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { decodeMoments, inTwoLanguages, lipSyncOf, reorderedVideo } from '../support/lip-sync.ts';
import {
  checkByFfprobe,
  checkByMediainfo,
  checkLipSync,
  downloadSegment,
  isRefused,
  RATE,
  SEGMENT_CELLS,
  SEGMENT_SECONDS,
} from '../support/segment-files.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const SECONDS = 6;
/** In the middle of three segments: it has a neighbour on each side. */
const AT = '3';

const LADDER = [180, 90].map((shortSidePx) => ({
  ...{ name: `${shortSidePx}p`, shortSidePx, maxrateBps: 300_000 },
}));
describe('the segment at a timestamp, in each format, resolution and language', () => {
  let system: TestSystem;
  let folder = '';
  let sourceSync = 0;
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void ends.unshift(end) };

  before(async () => {
    system = await startTestSystem(scope);
    folder = await temporaryFolder(scope);
    const settings = { ladder: LADDER, targetDurationSeconds: SEGMENT_SECONDS };
    await system.fetch('/streams/matrix', { method: 'PUT', body: JSON.stringify(settings) });
    const made = join(folder, 'source.mkv');
    await ffmpeg([...inTwoLanguages(String(RATE), SECONDS), ...reorderedVideo(String(RATE)), made]);
    const url = `${system.urlWithKey}/upload/matrix/live.m3u8`;
    const hls = ['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-method', 'PUT', url];
    await ffmpeg(['-i', made, '-map', '0', '-c', 'copy', ...hls]);
    await system.fetch('/upload/matrix/end', { method: 'POST' });
    await waitFor('the whole stream', async () => {
      const answer = await fetch(`${system.url}/viewstream/metadata/matrix?format=json`);
      const { state, durationSeconds } = (await answer.json()) as Record<string, unknown>;
      return state === 'ended' && durationSeconds === SECONDS;
    });
    [sourceSync = 0] = lipSyncOf(await decodeMoments(['-i', made]));
  });
  after(async () => {
    for (const end of ends) await end();
  });

  const addressOf = (cell: Readonly<Record<string, string>>): string =>
    `${system.url}/viewstream/matrix?${new URLSearchParams({ timestamp: AT, ...cell })}`;

  for (const cell of SEGMENT_CELLS) {
    const { format, resolution, lang } = cell;
    const name = `${format} ${resolution} ${lang}`;
    if (isRefused(cell)) {
      test(`${name} is refused: H.264 is nothing for WebM`, async () => {
        const answer = await fetch(addressOf(cell));
        assert.equal(answer.status, 400);
        const { code, hint } = (await answer.json()) as Record<string, string>;
        assert.equal(code, 'unsupported_format');
        assert.match(hint ?? '', /format=mp4, format=mov or format=ts/);
      });
      continue;
    }
    test(`${name} holds each frame once, and the right sound in step`, async () => {
      const path = await downloadSegment(addressOf(cell), cell, folder);
      await checkByFfprobe(path, cell);
      await checkLipSync(path, cell, sourceSync);
      await checkByMediainfo(path, cell);
    });
  }

  test('the second request is answered from the store, with the same address', async () => {
    const cell = { format: 'mp4', resolution: '180p', lang: 'de' };
    const [first, second] = await Promise.all([0, 1].map(() => fetch(addressOf(cell))));
    assert.equal(first?.url, second?.url);
    assert.match(
      second?.url ?? '',
      /\/media\/matrix\/\w+\/files\/1-\d+-\d+-180p-audio-2-\w+\.mp4$/,
    );
  });

  const skip = withoutChromium();
  test('a browser plays MP4 and WebM to the end', { skip }, async (t) => {
    const browser = await launchChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${system.url}/healthz`);
    for (const format of ['mp4', 'webm']) {
      await page.setContent(
        `<video muted src="${addressOf({ format, resolution: '90p', wait: '20' })}">`,
      );
      await page.evaluate("document.querySelector('video').play()");
      const hasEnded = () => page.evaluate<boolean>("document.querySelector('video').ended");
      await waitFor(`the end of ${format}`, hasEnded);
      const [seconds = 0, frames = 0] = await page.evaluate<number[]>(
        "(({ duration, ...video }, quality) => [duration, quality.totalVideoFrames])(document.querySelector('video'), document.querySelector('video').getVideoPlaybackQuality())",
      );
      assert.ok(Math.abs(seconds - SEGMENT_SECONDS) < 0.05, `${format} lasts ${seconds} s`);
      assert.ok(frames > 0);
    }
  });
});
