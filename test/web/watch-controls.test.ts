import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { withoutChromium } from '../support/chromium.ts';
import {
  type FakeStream,
  type FakeStreamServer,
  fakeStream,
  publishEachSecond,
} from './fake-stream-server.ts';
import { type ServedPages, servePages } from './served-pages.ts';
import { openWatchPage, until, type WatchPage } from './watch-page-driver.ts';

// Side by side: they mostly wait for seconds of media to pass.
describe('the controls of the watch page', { skip: withoutChromium(), concurrency: 2 }, () => {
  let served: ServedPages;
  let server: FakeStreamServer;
  let browser: Browser;

  before(async () => {
    served = await servePages();
    ({ server, browser } = served);
  });
  after(() => served?.close());

  async function open(
    t: TestContext,
    hash: string,
    options?: Parameters<typeof openWatchPage>[2],
  ): Promise<WatchPage> {
    const viewer = await openWatchPage(browser, `${server.url}/${hash}`, options);
    t.after(viewer.close);
    return viewer;
  }
  const watch = (t: TestContext, videoId: string): Promise<WatchPage> =>
    open(t, `watch/${videoId}`);

  function publish(t: TestContext, videoId: string, change: Partial<FakeStream>): FakeStream {
    const stream = fakeStream(change);
    server.streams.set(videoId, stream);
    t.after(publishEachSecond(stream));
    return stream;
  }

  test('watch page: a viewer goes back an hour by the time of day, and by one tap to live', async (t) => {
    const hour = 3600;
    const { startedAtMs } = publish(t, 'long', { published: hour + 30 });
    const viewer = await watch(t, 'long');
    await viewer.reaches('live');
    const { page } = viewer;
    await page.locator('.player').hover();
    const box = (await page.locator('media-time-range').boundingBox()) ?? assert.fail();
    const preview = page.locator('.preview-time');
    let moves = 0;
    await until('the time of day is shown', async () => {
      // As a hand does: the player may not have had what it needs at the first move.
      moves += 1;
      await page.mouse.move(box.x + box.width * 0.01 + (moves % 2), box.y + box.height / 2);
      return /^−\d+:\d\d(:\d\d)? · \d+:\d\d:\d\d/.test((await preview.textContent()) ?? '');
    });
    await viewer.scrubTo(0.01);
    await viewer.reaches('behind');
    await until('it is an hour back', async () => Number(await viewer.fact('behind')) > hour - 60);
    await viewer.plays();
    await page.locator('.share').click();
    const shared = await page.locator('.share-moment input').inputValue();
    const shownMs = Date.parse(new URL(shared).searchParams.get('t') ?? '');
    assert.ok(shownMs >= startedAtMs && shownMs < startedAtMs + 120_000, shared);
    await page.locator('media-live-button').click();
    await viewer.reaches('live');
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: keys work on the page and on the player, and ? shows them', async (t) => {
    server.streams.set('keys', fakeStream({ state: 'ended', published: 60 }));
    const viewer = await watch(t, 'keys');
    await viewer.reaches('recording');
    await viewer.plays();
    const { page } = viewer;
    const timeNow = () => viewer.video(({ currentTime }) => currentTime);
    const jumps = async (key: string, from: number, to: number): Promise<void> => {
      await page.keyboard.press(key);
      await until(`${key} jumps`, async () => (await timeNow()) >= from && (await timeNow()) < to);
    };
    await jumps('5', 30, 40);
    await jumps('Home', 0, 10);
    await page.locator('media-mute-button').focus();
    await jumps('7', 42, 50);
    await page.keyboard.press('?');
    const keys = page.locator('.keys');
    await keys.getByText('10 seconds back').waitFor();
    await page.keyboard.press('2');
    assert.ok((await timeNow()) > 40, 'keys of the player wait while their list is open');
    await page.keyboard.press('Escape');
    await keys.waitFor({ state: 'hidden' });
    await page.keyboard.press('?');
    await keys.waitFor();
    await page.keyboard.press('?');
    await keys.waitFor({ state: 'hidden' });
    await page.locator('#video-id').fill('1?k');
    assert.ok((await timeNow()) > 40, 'what is typed into a field is none');
    assert.equal(await keys.isVisible(), false);
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: what a viewer chooses holds for the next stream: quality, and the speed of recordings', async (t) => {
    server.streams.set('chosen', fakeStream({ state: 'ended', published: 60 }));
    publish(t, 'chosen-live', { published: 20 });
    const viewer = await watch(t, 'chosen');
    await viewer.reaches('recording');
    await viewer.choose('quality', '180p');
    await viewer.page.locator('.player').focus();
    await viewer.page.keyboard.press('Shift+>');
    const rate = () => viewer.video(({ playbackRate }) => playbackRate);
    await until('it is faster', async () => (await rate()) > 1);
    const chosen = await rate();
    await viewer.page.reload();
    await viewer.reaches('recording');
    await until('it is as fast as before', async () => (await rate()) === chosen);
    await until('the rung is the chosen one', async () => (await viewer.fact('level')) === '180p');
    await viewer.page.goto(`${server.url}/watch/chosen-live`);
    await viewer.watches();
    await until('the rung is chosen', async () => (await viewer.fact('level')) === '180p');
    assert.ok((await rate()) < chosen, 'live is played as it comes');
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: markers are on the timeline and in a table, which seeks, filters, and follows playback', async (t) => {
    const stream = publish(t, 'marked', { published: 12 });
    const at = (seconds: number) => new Date(stream.startedAtMs + seconds * 1000).toISOString();
    stream.markers.push(
      { id: 'a', class: 'goal', at: at(2), text: 'One to nil' },
      { id: 'b', class: 'rain', start: at(3), end: at(5) },
    );
    const viewer = await watch(t, 'marked');
    await viewer.watches();
    await viewer.says('One to nil');
    const rows = viewer.page.locator('.marker');
    assert.equal(await rows.count(), 2);
    const ticks = viewer.page.locator('.marker-tick');
    await until('the marks are in their places', async () => {
      const [first, second] = [await ticks.first().boundingBox(), await ticks.last().boundingBox()];
      return first !== null && second !== null && first.x < second.x && first.width < second.width;
    });
    await rows.first().click();
    await until('the picture is that of the marker', async () => {
      const time = await viewer.video(({ currentTime }) => currentTime);
      return time >= 2 && time < 3.5;
    });
    await until('the table follows', async () =>
      /goal/.test((await viewer.page.locator('.marker[aria-current]').innerText()) ?? ''),
    );
    stream.markers.push({ id: 'c', class: 'goal', at: at(4), text: 'Two to nil' });
    await viewer.says('Two to nil');
    await viewer.page.locator('.marker-filter').selectOption('rain');
    await until('one class is shown', async () => (await rows.count()) === 1);
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: a link to a moment of a recording and of a live stream begins there', async (t) => {
    server.streams.set('moment', fakeStream({ state: 'ended', published: 10 }));
    const recording = await open(t, 'watch/moment?t=4');
    await recording.reaches('recording');
    await until('it plays from there', async () => {
      const time = await recording.video(({ currentTime }) => currentTime);
      return time >= 4 && time < 9;
    });
    const { startedAtMs } = publish(t, 'moment-live', { published: 12 });
    const instant = new Date(startedAtMs + 3000).toISOString();
    const live = await open(t, `watch/moment-live?t=${instant}`);
    await live.reaches('behind');
    await until('it plays from there', async () => {
      const time = await live.video(({ currentTime }) => currentTime);
      return time >= 3 && time < 9;
    });
    await live.page.locator('.share').click();
    const shared = await live.page.locator('.share-moment input').inputValue();
    const shownMs = Date.parse(new URL(shared).searchParams.get('t') ?? '');
    assert.ok(shownMs >= startedAtMs + 3000 && shownMs < startedAtMs + 12_000, shared);
  });
});
