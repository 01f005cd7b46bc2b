import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { withoutChromium } from '../support/chromium.ts';
import {
  type FakeStream,
  type FakeStreamServer,
  fakeStream,
  OWNER_KEY,
  publishEachSecond,
} from './fake-stream-server.ts';
import { type ServedPages, servePages } from './served-pages.ts';
import { emulateLine, openWatchPage, until, type WatchPage } from './watch-page-driver.ts';

describe('the watch page says whose fault it is', {
  skip: withoutChromium(),
  concurrency: 2,
}, () => {
  let served: ServedPages;
  let server: FakeStreamServer;
  let browser: Browser;

  before(async () => {
    served = await servePages();
    ({ server, browser } = served);
  });
  after(() => served?.close());

  async function watch(t: TestContext, videoId: string): Promise<WatchPage> {
    const viewer = await openWatchPage(browser, `${server.url}/watch/${videoId}`);
    t.after(viewer.close);
    return viewer;
  }

  /** Publishes until `stop` is called. */
  function broadcast(t: TestContext, videoId: string, change: Partial<FakeStream> = {}) {
    const stream = fakeStream({ published: 12, ...change });
    server.streams.set(videoId, stream);
    const stop = publishEachSecond(stream);
    t.after(stop);
    return { stream, stop };
  }

  const badgeOf = (viewer: WatchPage): Promise<string> =>
    viewer.page.locator('.stream-facts .badge').innerText();
  const bannerOf = (viewer: WatchPage): Promise<string> =>
    viewer.page.locator('.banner-title').innerText();

  test('faults: a line that is slower than the lowest rendition is said to be the viewer’s, until it recovers', async (t) => {
    broadcast(t, 'slow-line');
    const viewer = await watch(t, 'slow-line');
    await viewer.watches();
    const line = await emulateLine(viewer.page);
    await line.limit(120);
    await viewer.says('Your connection is too slow');
    assert.equal(await badgeOf(viewer), 'Live', 'the broadcast goes on meanwhile');
    await line.limit(10_000);
    await viewer.watches();
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });

  test('faults: a silent encoder is said to be, with the time; nothing looks live, and the delay grows, until it is back', async (t) => {
    const { stream, stop } = broadcast(t, 'silent');
    const viewer = await watch(t, 'silent');
    await viewer.watches();
    stop();
    await until('the badge is not live', async () => (await badgeOf(viewer)) === 'No signal');
    await viewer.says('The broadcaster sends nothing');
    await viewer.says('Nothing from the broadcaster for');
    const delay = async () => Number(await viewer.fact('delay'));
    const before = await delay();
    const position = await viewer.video(({ currentTime }) => currentTime);
    await until('the delay has grown', async () => (await delay()) > before + 2);
    assert.equal(await viewer.video(({ currentTime }) => currentTime), position);
    t.after(publishEachSecond(stream));
    await viewer.watches();
    await viewer.plays();
    await until('the badge is live again', async () => (await badgeOf(viewer)) === 'Live');
    assert.deepEqual(viewer.problems, []);
  });

  test('faults: who opens a stream whose encoder is silent, and its owner in the list, do not see it as live', async (t) => {
    const stream = fakeStream({ published: 12, title: 'A silent one' });
    stream.newestUploadAtMs -= 40_000;
    server.streams.set('long-silent', stream);
    const viewer = await watch(t, 'long-silent');
    await viewer.watches();
    assert.equal(await badgeOf(viewer), 'No signal');
    await viewer.page.goto(`${server.url}/#key=${OWNER_KEY}`);
    const card = viewer.page.locator('.card', { hasText: 'A silent one' });
    await card.waitFor();
    assert.equal(await card.locator('.badge').innerText(), 'No signal');
    assert.match(await card.innerText(), /Nothing from the broadcaster for \d+ s/);
  });

  test('faults: segments that wait for workers are said to be the server’s, not the broadcaster’s', async (t) => {
    const { stream, stop } = broadcast(t, 'late');
    const viewer = await watch(t, 'late');
    await viewer.watches();
    stop();
    const sinceMs = Date.now();
    const uploads = setInterval(() => {
      stream.newestUploadAtMs = Date.now();
      stream.waiting = { segments: 1 + (stream.waiting?.segments ?? 0), sinceMs };
    }, 1000);
    t.after(() => clearInterval(uploads));
    await viewer.says('The server is behind');
    await viewer.says('waits for transcoding');
    await viewer.says('behind with transcoding');
    assert.equal(await badgeOf(viewer), 'Live', 'the broadcaster sends');
    clearInterval(uploads);
    stream.published += stream.waiting?.segments ?? 0;
    delete stream.waiting;
    t.after(publishEachSecond(stream));
    await viewer.watches();
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });

  test('faults: a server with errors, one that cannot be reached and a device without network are told apart', async (t) => {
    const { stream } = broadcast(t, 'network');
    const viewer = await watch(t, 'network');
    await viewer.watches();
    stream.failsWith = 503;
    await viewer.says('The server has a problem');
    delete stream.failsWith;
    await viewer.watches();
    stream.outOfReach = true;
    await viewer.says('The server cannot be reached');
    stream.outOfReach = false;
    await viewer.watches();
    const line = await emulateLine(viewer.page);
    await line.cut();
    await viewer.says('You are offline');
    await line.limit(100_000);
    await viewer.watches();
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });

  test('faults: a viewer whose device has no network is told so at a stall, whatever answers overtook the event', async (t) => {
    const { stream, stop } = broadcast(t, 'no-event');
    const viewer = await watch(t, 'no-event');
    await viewer.watches();
    const setOnline = (isOnline: boolean): Promise<unknown> =>
      viewer.page.evaluate(
        `Object.defineProperty(navigator, 'onLine', { get: () => ${isOnline}, configurable: true })`,
      );
    await setOnline(false);
    stop();
    // The broadcaster goes on, as far as the page knows.
    const uploads = setInterval(() => {
      stream.newestUploadAtMs = Date.now();
    }, 500);
    t.after(() => clearInterval(uploads));
    await viewer.says('You are offline');
    await setOnline(true);
    t.after(publishEachSecond(stream));
    await viewer.watches();
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });

  test('faults: a broadcast that has ended and goes on plays on behind the discontinuity, from its first two segments', async (t) => {
    const { stream, stop } = broadcast(t, 'comes-back');
    const viewer = await watch(t, 'comes-back');
    await viewer.watches();
    stop();
    stream.state = 'ended';
    stream.mayComeBack = true;
    await viewer.says('The broadcaster has ended the broadcast');
    assert.equal(await badgeOf(viewer), 'Ended');
    const stoodAt = await viewer.video(({ currentTime }) => currentTime);
    stream.state = 'live';
    stream.pauseMs = Date.now() - (stream.startedAtMs + stream.published * 1000);
    stream.discontinuityAt = stream.published;
    stream.published += 2;
    stream.newestUploadAtMs = Date.now();
    await until('it plays on', async () => {
      const now = await viewer.video(({ currentTime }) => currentTime);
      return now > stoodAt + 1;
    });
    t.after(publishEachSecond(stream));
    await viewer.watches();
    await until('the badge is live', async () => (await badgeOf(viewer)) === 'Live');
    assert.ok(Number(await viewer.fact('delay')) < 60, 'the wall clock is right behind the pause');
    assert.deepEqual(viewer.problems, []);
  });

  test('faults: a broadcast that has ended and does not go on becomes the recording without a reload', async (t) => {
    const { stream, stop } = broadcast(t, 'truly-ended');
    const viewer = await watch(t, 'truly-ended');
    await viewer.watches();
    stop();
    stream.state = 'ended';
    stream.mayComeBack = true;
    await viewer.says('The broadcaster has ended the broadcast');
    stream.mayComeBack = false;
    await viewer.reaches('ended');
    await viewer.says('The recording is ready');
    await viewer.page.getByRole('button', { name: 'Watch from the start' }).click();
    await viewer.reaches('recording');
    assert.equal(await badgeOf(viewer), 'Recording');
    assert.equal(await bannerOf(viewer), '');
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });
});
