import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { withoutChromium } from '../support/chromium.ts';
import {
  type FakeStream,
  type FakeStreamServer,
  fakeStream,
  OWNER_KEY,
  publishEachSecond,
} from './fake-stream-server.ts';
import { COUNTER_BITS } from './hls-media-tree.ts';
import { type ServedPages, servePages } from './served-pages.ts';
import { until } from './watch-page-driver.ts';

const FRAMES_PER_SECOND = 25;
const FRAME_MS = 1000 / FRAMES_PER_SECOND;

/** A tile that plays, at its own live edge or at that of a slower stream. */
const PLAYING = '.tile:is([data-state="live"], [data-state="behind"])';

/** The numbers in all pictures, read at once; -1 where there is none. */
const READ_COUNTERS = `(() => {
  const canvas = document.createElement('canvas');
  canvas.width = ${COUNTER_BITS} * 4;
  canvas.height = 4;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return [...document.querySelectorAll('.tile')].map((tile) => {
    const video = tile.querySelector('video');
    if (!video || video.readyState < 2) return -1;
    const share = video.videoWidth / 640;
    context.drawImage(video, 0, 0, ${COUNTER_BITS * 40} * share, 40 * share, 0, 0, canvas.width, 4);
    const { data } = context.getImageData(0, 2, canvas.width, 1);
    return Array.from({ length: ${COUNTER_BITS} }, (_, bit) => data[(bit * 4 + 2) * 4] > 128)
      .reduce((sum, isSet, bit) => sum + (isSet ? 2 ** bit : 0), 0);
  });
})()`;

describe('the wall', { skip: withoutChromium() }, () => {
  let served: ServedPages;
  let server: FakeStreamServer;
  let browser: Browser;

  before(async () => {
    served = await servePages(FRAMES_PER_SECOND);
    ({ server, browser } = served);
  });
  after(() => served?.close());

  function publish(t: TestContext, videoId: string, change: Partial<FakeStream>) {
    const stream = fakeStream({ title: `Camera ${videoId}`, ...change });
    server.streams.set(videoId, stream);
    const stop = publishEachSecond(stream);
    t.after(() => {
      stop();
      server.streams.delete(videoId);
    });
    return { stream, stop };
  }

  async function open(t: TestContext, address: string): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
    context.setDefaultTimeout(60_000);
    t.after(() => context.close());
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      const isProblem = message.type() === 'error' || message.type() === 'warning';
      if (isProblem && !message.text().startsWith('Failed to load')) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`${server.url}${address}`);
    t.after(() => assert.deepEqual(problems, []));
    return page;
  }

  /** The instants on the screen by the burned-in counters; NaN where there is no picture. */
  async function instantsOf(page: Page, streams: readonly FakeStream[]): Promise<number[]> {
    const counters: number[] = await page.evaluate(READ_COUNTERS);
    return streams.map((stream, index) => {
      const counter = counters[index] ?? -1;
      const { startedAtMs, discontinuityAt, pauseMs } = stream;
      const restartMs = discontinuityAt === undefined ? 0 : discontinuityAt * 1000 + pauseMs;
      // Until its second run is on the screen, the counters are those of the first.
      const first = startedAtMs + counter * FRAME_MS;
      const isSecond = discontinuityAt !== undefined && counter < discontinuityAt * 10;
      return counter < 0 ? Number.NaN : isSecond ? first + restartMs : first;
    });
  }

  const spread = (instants: readonly number[]): number =>
    Math.max(...instants) - Math.min(...instants);

  /** In several readings one after the other. */
  async function inStep(page: Page, streams: readonly FakeStream[]): Promise<void> {
    let good = 0;
    await until('the tiles are in step', async () => {
      good = spread(await instantsOf(page, streams)) <= FRAME_MS + 1 ? good + 1 : 0;
      return good === 8;
    });
  }

  const startedAtMs = Math.floor(Date.now() / 1000) * 1000 - 40_000;
  const ids = ['a', 'b', 'c', 'd'];

  test('wall: four streams are in step, a drop-out shows on its tile alone, and heals by itself', async (t) => {
    const published = ids.map((videoId, index) =>
      publish(t, videoId, {
        published: 40 - index,
        startedAtMs: startedAtMs + index * 1000 - index * 120,
      }),
    );
    const streams = published.map(({ stream }) => stream);
    const page = await open(t, `/wall?streams=${ids.join()}`);
    await page.locator(PLAYING).nth(3).waitFor();
    await inStep(page, streams);
    assert.deepEqual(
      await page.locator('.tile-name').allTextContents(),
      ids.map((id) => `Camera ${id}`),
    );
    assert.match(await page.locator('.tile-delay').first().innerText(), /^\d+ s$/);

    const [killed] = published;
    assert.ok(killed);
    killed.stop();
    const silentSinceMs = Date.now();
    const tile = page.locator('.tile').first();
    await tile.getByText('The broadcaster sends nothing').waitFor();
    const others = await page.locator('.tile-message').allTextContents();
    assert.deepEqual(others.slice(1), ['', '', '']);
    const rest = async () => (await instantsOf(page, streams)).slice(1);
    const before = await rest();
    await until('the others play on', async () => {
      const now = await rest();
      return spread(now) <= FRAME_MS + 1 && Math.min(...now) > Math.max(...before) + 1000;
    });

    const { stream } = killed;
    stream.discontinuityAt = stream.published;
    stream.pauseMs = Math.round((Date.now() - silentSinceMs) / FRAME_MS) * FRAME_MS;
    t.after(publishEachSecond(stream));
    await until('its tile is back', async () =>
      /live|behind/.test((await tile.getAttribute('data-state')) ?? ''),
    );
    await inStep(page, streams);
  });

  test('wall: one slider moves all tiles to the same picture, and live brings them back', async (t) => {
    const streams = ids.map(
      (videoId, index) =>
        publish(t, videoId, { published: 60, startedAtMs: startedAtMs - 20_000 - index * 2000 })
          .stream,
    );
    const page = await open(t, `/wall?streams=${ids.join()}`);
    await page.locator(PLAYING).nth(3).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const slider = page.getByRole('slider');
    for (const offset of ['20020', '33340', '31020']) {
      await slider.fill(offset);
      const wanted = startedAtMs - 26_000 + Number(offset);
      await until(`all show the picture at ${offset}`, async () => {
        const instants = await instantsOf(page, streams);
        return instants.every((instant) => wanted - instant === FRAME_MS / 2);
      });
    }
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await until('the wall plays on', async () => {
      const instants = await instantsOf(page, streams);
      return Math.min(...instants) > startedAtMs + 5000 + 500;
    });
    await inStep(page, streams);
    await page.getByRole('button', { name: 'Live', exact: true }).click();
    await until('the wall is live', async () => {
      const instants = await instantsOf(page, streams);
      return Math.min(...instants) > startedAtMs + 25_000;
    });
    await inStep(page, streams);
  });

  test('wall: sixteen tiles play their smallest rendition, and one enlarges with sound', async (t) => {
    const many = Array.from({ length: 16 }, (_, index) => `m${index}`);
    for (const videoId of many) publish(t, videoId, { published: 30 });
    server.requests.length = 0;
    const page = await open(t, `/wall?streams=${many.join()}`);
    await page.locator(PLAYING).nth(15).waitFor();
    const times = (): Promise<number[]> =>
      page
        .locator('video')
        .evaluateAll((videos) => videos.map((video) => Reflect.get(video, 'currentTime')));
    const before = await times();
    await until('all play', async () =>
      (await times()).every((at, index) => at > (before[index] ?? 0) + 3),
    );
    assert.equal(server.requests.filter((one) => /\/(360p|audio)[./]/.test(one)).length, 0);
    const overflow = await page.locator('.wall-grid').evaluate((grid) => {
      return Reflect.get(grid, 'scrollHeight') - Reflect.get(grid, 'clientHeight');
    });
    assert.equal(overflow, 0);

    const first = page.getByRole('button', { name: 'Enlarge Camera m0' });
    await first.focus();
    await page.keyboard.press('Enter');
    await until('it has sound and full quality', async () =>
      page
        .locator('.tile')
        .first()
        .locator('video')
        .last()
        .evaluate((video) => {
          return Reflect.get(video, 'videoWidth') === 640 && Reflect.get(video, 'muted') === false;
        }),
    );
    assert.equal(await page.locator('video').count(), 1, 'what is out of view is unloaded');
    await page.keyboard.press('Escape');
    await until('all are back', async () => (await page.locator('video').count()) === 16);
  });

  test('wall: a tile opens in other players, and saves a snapshot', async (t) => {
    publish(t, 'a', { published: 30 });
    const page = await open(t, '/wall?streams=a');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator(PLAYING).waitFor();
    const address = `${server.url}/viewstream/metadata/a.m3u8`;
    await page.locator('.tile').hover();
    await page.getByRole('button', { name: 'Copy the playlist’s address' }).click();
    await page.getByText('Address copied').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), address);
    const link = page.getByRole('link', { name: 'Open in VLC' });
    assert.equal(await link.getAttribute('href'), `vlc://${address}`);

    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Playlist file' }).click(),
    ]);
    assert.equal(file.suggestedFilename(), 'a.m3u');
    assert.equal(
      await readFile(await file.path(), 'utf8'),
      `#EXTM3U\n#EXTINF:-1,Camera a\n${address}\n`,
    );
    const [picture] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save a snapshot' }).click(),
    ]);
    assert.match(picture.suggestedFilename(), /^a-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.png$/);
    const png = await readFile(await picture.path());
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [320, 180]);
  });

  test('wall: without a choice it shows what is live, and the choice stands in the address', async (t) => {
    publish(t, 'a', { published: 30, listed: true });
    publish(t, 'b', { published: 30 });
    publish(t, 'old', { published: 30, state: 'ended' });
    const visitor = await open(t, '/wall');
    await visitor.locator('.tile').waitFor();
    assert.deepEqual(await visitor.locator('.tile-name').allTextContents(), ['Camera a']);

    const owner = await open(t, `/wall#key=${OWNER_KEY}`);
    await owner.locator('.tile').nth(1).waitFor();
    assert.equal(await owner.locator('.tile').count(), 2);
    await owner.getByRole('button', { name: 'Choose streams' }).click();
    await owner.getByRole('checkbox', { name: 'Camera a' }).uncheck();
    await owner.getByLabel('Camera old').check();
    await owner.getByRole('button', { name: 'Show', exact: true }).click();
    await until('the choice is shown', async () => (await owner.locator('.tile').count()) === 2);
    const { search, hash } = new URL(owner.url());
    assert.deepEqual(
      [new URLSearchParams(search).get('streams')?.split(',').toSorted(), hash],
      [['b', 'old'], ''],
    );
  });
});
