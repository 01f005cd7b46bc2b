import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { encode, startFfmpeg } from '../support/ffmpeg.ts';
import { startTestSystem } from '../support/system.ts';
import { emulateLine, openWatchPage, until } from '../web/watch-page-driver.ts';

/** Small, so that the workers keep up on any machine; noise, so that each rung needs its full rate. */
const NOISE = 'testsrc2=size=640x360:rate=10,noise=alls=40:allf=t';
const LINE_KBPS = 300;
/** Between the rate of the lowest rung and that of the next. */
const MIDDLE_KBPS = 800;
const LONGEST_STALL_SECONDS = 2;

/** Seconds of the longest time in which nothing was left to play, while it went on. */
const WATCH_STALLS = `(() => {
  const video = document.querySelector('video');
  let since;
  window.longestStall = 0;
  setInterval(() => {
    const { buffered, currentTime, paused } = video;
    const last = buffered.length - 1;
    const isEmpty = !paused && (last < 0 || buffered.end(last) - currentTime < 0.1);
    since = isEmpty ? (since ?? performance.now()) : undefined;
    if (since) longestStall = Math.max(longestStall, (performance.now() - since) / 1000);
  }, 50);
})()`;

test('a viewer at 300 kbit/s plays the lowest rung without a stop, a better one within 20 s when the line has recovered, and on at 800 kbit/s', {
  skip: withoutChromium(),
}, async (t) => {
  const system = await startTestSystem(t);
  await system.fetch('/streams/slow', { method: 'PUT', body: '{}' });
  startFfmpeg(t, [
    ...['-re', '-f', 'lavfi', '-i', NOISE, '-re', '-f', 'lavfi', '-i', 'sine=frequency=330'],
    ...encode(20),
    ...['-b:v', '1500k', '-f', 'hls', '-hls_time', '2', '-method', 'PUT'],
    `${system.urlWithKey}/upload/slow/live.m3u8`,
  ]);
  const browser = await launchChromium();
  t.after(() => browser.close());
  const viewer = await openWatchPage(browser, `${system.url}/watch/slow`);
  const level = () => viewer.fact('level');
  const timeNow = () => viewer.video(({ currentTime }) => currentTime);
  await viewer.watches();
  await until('the best rung is on the screen', async () => (await level()) === '360p');
  const line = await emulateLine(viewer.page);
  await line.limit(LINE_KBPS);
  await until('the lowest rung is on the screen', async () => (await level()) === '240p');
  await viewer.plays();
  const settledAt = await timeNow();
  await viewer.page.evaluate(WATCH_STALLS);
  const banners = new Set<string>();
  await until('it has played for 20 s', async () => {
    if (await viewer.page.locator('.banner').isVisible()) {
      banners.add(await viewer.page.locator('.banner-title').innerText());
    }
    return (await timeNow()) > settledAt + 20;
  });
  assert.ok(!banners.has('Your connection is too slow'), [...banners].join());
  assert.equal(await level(), '240p');
  await line.limit(10 * LINE_KBPS);
  const recoveredAt = await timeNow();
  await until('a better rung is on the screen', async () => (await level()) === '360p');
  const seconds = (await timeNow()) - recoveredAt;
  assert.ok(seconds <= 20, `after ${seconds.toFixed(1)} s of playback`);

  await line.limit(MIDDLE_KBPS);
  const limitedAt = await timeNow();
  await until('it has played for 20 s', async () => (await timeNow()) > limitedAt + 20);
  const stalled = await viewer.page.evaluate<number>('window.longestStall');
  assert.ok(stalled <= LONGEST_STALL_SECONDS, `stopped for ${stalled.toFixed(1)} s`);
  assert.deepEqual(viewer.problems, []);
});
