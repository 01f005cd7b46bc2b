import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { buildPages } from '../../web/build.ts';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { OWNER_KEY, type StudioServer, startStudioServer, UPLOAD_KEY } from './studio-server.ts';
import { until } from './watch-page-driver.ts';

const TICKS_PER_SECOND = 90_000;

describe('the studio, with the fake camera of Chromium', { skip: withoutChromium() }, () => {
  let folder = '';
  let browser: Browser;
  let server: StudioServer;
  let context: BrowserContext;
  let page: Page;
  let problems: string[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'rivulet-studio-'));
    await buildPages(folder);
    browser = await launchChromium([
      '--use-fake-device-for-media-stream=device-count=2,fps=20',
      '--use-fake-ui-for-media-stream',
    ]);
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    server = await startStudioServer(folder);
    context = await browser.newContext({ viewport: { width: 1100, height: 750 } });
    context.setDefaultTimeout(60_000);
    page = await context.newPage();
    problems = [];
    page.on('console', (message) => {
      const isProblem = message.type() === 'error' || message.type() === 'warning';
      if (isProblem && !message.text().startsWith('Failed to load resource')) {
        problems.push(message.text());
      }
    });
    page.on('pageerror', (error) => problems.push(String(error)));
  });
  afterEach(async () => {
    await context.close();
    await server.close();
  });

  const open = async (fragment = `#stream=my-show&key=${UPLOAD_KEY}`): Promise<void> => {
    await page.goto(`${server.url}/studio${fragment}`);
    await page.locator('.studio-room').waitFor();
  };
  const goLive = async (quality = '360p'): Promise<void> => {
    await page.locator('#quality').selectOption(quality);
    await page.locator('.screen-and-camera[data-layout="camera"]').waitFor();
    await page.locator('.go-live').click();
    await page.locator('.studio[data-state="live"]').waitFor();
  };
  const stop = async (): Promise<void> => {
    await page.locator('.stop-live').click();
    await page.locator('.end-now').click();
    await page.locator('.studio[data-state="ended"]').waitFor();
  };
  const received = (count: number): Promise<void> =>
    until(`${count} segments have come`, () => server.segments.length >= count);
  const numbersOf = (session: string | undefined): readonly number[] =>
    server.segments.filter((one) => one.session === session).map(({ number }) => number);

  test('studio: a broadcast comes as whole segments of two seconds with picture and sound that join, and ends', async () => {
    server.stream.title = undefined;
    await open(`#stream=my-show&key=${OWNER_KEY}`);
    assert.equal(new URL(page.url()).hash, '', 'the key is not in the address');
    await page.locator('#title').fill('My show');
    await goLive();
    await received(3);
    assert.ok(
      (await page.locator('.live-badge').isVisible()) && (await page.locator('.line').isVisible()),
    );
    await stop();
    assert.deepEqual(server.settings, [{ title: 'My show', targetDurationSeconds: 2 }]);
    assert.deepEqual(server.ends, ['my-show']);
    assert.equal(await page.locator('.recording').getAttribute('href'), '/watch/my-show');

    const [first] = server.segments;
    assert.deepEqual(
      numbersOf(first?.session),
      server.segments.map((_, index) => index),
    );
    let endTicks: number | undefined;
    for (const { bytes, durationSeconds, number } of server.segments.slice(0, -1)) {
      const { facts } = await inspectSegment(bytes);
      const { video, audio } = facts;
      assert.ok(video && audio[0], `segment ${number} has picture and sound`);
      assert.equal(video.startsClosed, true);
      assert.ok(Math.max(video.widthPx, video.heightPx) <= 640);
      // A machine under load gives its frames late: a keyframe comes with the next one.
      assert.ok(durationSeconds > 1 && durationSeconds < 4, `${durationSeconds} s`);
      assert.ok(
        Math.abs((facts.endTicks - facts.startTicks) / TICKS_PER_SECOND - durationSeconds) < 0.01,
      );
      if (endTicks !== undefined) assert.ok(Math.abs(facts.startTicks - endTicks) < 90);
      endTicks = facts.endTicks;
    }
    const sounds = await Promise.all(
      server.segments.map(async ({ bytes }) => (await inspectSegment(bytes)).facts.audio[0]),
    );
    for (const [index, sound] of sounds.entries()) {
      const next = sounds[index + 1];
      if (sound && next)
        assert.ok(Math.abs(next.startTicks - sound.endTicks) < 900, 'without a gap');
    }
    assert.deepEqual(problems, []);
  });

  test('studio: while the server is away, segments are kept and counted in seconds; then all of them come, in order', async () => {
    await open();
    await goLive();
    await received(1);
    server.fault.isOut = true;
    await page.locator('.line[data-tone="bad"]').waitFor();
    await until('three segments wait', async () => {
      return Number(await page.locator('.studio').getAttribute('data-backlog')) >= 3;
    });
    assert.match(
      (await page.locator('.line').textContent()) ?? '',
      /\d+ s are kept on this device/,
    );
    const before = server.segments.length;
    server.fault.isOut = false;
    await received(before + 4);
    await stop();
    assert.deepEqual(
      numbersOf(server.segments[0]?.session),
      server.segments.map((_, index) => index),
    );
  });

  test('studio: after a reload in mid-stream what was not sent is sent first, under its own session', async () => {
    await open();
    await goLive();
    await received(1);
    server.fault.isOut = true;
    await until('two segments wait', async () => {
      return Number(await page.locator('.studio').getAttribute('data-backlog')) >= 2;
    });
    const [first] = server.segments;
    const sent = numbersOf(first?.session).length;
    page.on('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await page.getByText('The server cannot be reached').waitFor();
    server.fault.isOut = false;
    await until('the old session is whole', () => numbersOf(first?.session).length >= sent + 2);
    const left = server.segments.length;
    await goLive();
    await received(left + 1);
    await stop();
    const sessions = server.segments.map(({ session }) => session);
    assert.deepEqual([...new Set(sessions)].length, 2);
    assert.deepEqual(sessions, sessions.toSorted(), 'the old one first');
    assert.deepEqual(
      numbersOf(first?.session),
      numbersOf(first?.session).map((_, index) => index),
    );
  });

  test('studio: a camera that is unplugged is replaced, and one that is muted is black; the broadcast goes on', async () => {
    await open();
    await goLive();
    await received(1);
    const device = await page.locator('#camera').inputValue();
    await page.locator('.main-picture').evaluate((video) => {
      const { srcObject } = video as unknown as { srcObject: { getTracks(): EventTarget[] } };
      srcObject.getTracks()[0]?.dispatchEvent(new Event('ended'));
    });
    await until('another camera is used', async () => {
      const now = await page.locator('#camera').inputValue();
      return now !== '' && now !== device;
    });
    await received(server.segments.length + 2);
    await page.locator('.mute-picture').click();
    await page.locator('.screen-and-camera[data-layout="none"]').waitFor();
    await received(server.segments.length + 2);
    await stop();
    assert.equal(new Set(server.segments.map(({ session }) => session)).size, 1);
    for (const { bytes } of server.segments.slice(0, -1)) {
      const { facts } = await inspectSegment(bytes);
      assert.ok(facts.video && facts.audio.length === 1);
    }
  });

  test('studio: the door says at once that a key is wrong', async () => {
    await page.goto(`${server.url}/studio#stream=my-show&key=wrong`);
    await page.getByText('This key does not open the stream').waitFor();
    assert.equal(await page.locator('.studio-room').isVisible(), false);
  });

  test('studio: a key that the server does not take any more is asked for again, and what waits is sent with the right one', async () => {
    await open();
    await goLive();
    await received(1);
    server.fault.refusesKeys = true;
    await page.locator('.studio-door').waitFor();
    server.fault.refusesKeys = false;
    await page.locator('#stream-key').fill(UPLOAD_KEY);
    await page.locator('.studio-door button').click();
    await page.locator('.studio-room').waitFor();
    await received(server.segments.length + 2);
    await stop();
    assert.deepEqual(
      numbersOf(server.segments[0]?.session),
      server.segments.map((_, index) => index),
    );
  });
});
