/** Drives the watch page in a browser. */

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { ViewingState } from '../../web/watch/viewing.ts';

/** Long enough for a machine that several test runs share: what is waited for is a condition. */
const WAIT_MS = 60_000;

type Video = {
  currentTime: number;
  playbackRate: number;
  paused: boolean;
  muted: boolean;
  duration: number;
};

export type WatchPage = Readonly<{
  page: Page;
  /** Errors and warnings of the console, but for requests that failed. */
  problems: readonly string[];
  reaches(state: ViewingState): Promise<void>;
  /** Waits until the stream plays undisturbed, at the edge or, on a slow machine, behind it. */
  watches(): Promise<void>;
  /** Waits until the text is visible. */
  says(text: string): Promise<void>;
  /** A `data-` attribute of the view. */
  fact(name: string): Promise<string>;
  video<Value>(read: (video: Video) => Value): Promise<Value>;
  /** Waits until playback has advanced. */
  plays(): Promise<void>;
  /** Presses on the time range, at a share of its width. */
  scrubTo(share: number): Promise<void>;
  choose(menu: 'quality' | 'audio' | 'captions', name: string): Promise<void>;
  /** The item that is checked in a menu, open or not. */
  chosen(menu: 'quality' | 'audio' | 'captions'): Promise<string>;
  close(): Promise<void>;
}>;

/** Waits until `check` answers true; the failure names `what`. */
export async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `timed out waiting until ${what}`);
    await delay(50);
  }
}

/** The network between a page and everything that it loads. */
export type Line = Readonly<{ limit(kbps: number): Promise<void>; cut(): Promise<void> }>;

export async function emulateLine(page: Page): Promise<Line> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const emulate = async (offline: boolean, kbps: number): Promise<void> => {
    const bytesPerSecond = (kbps * 1000) / 8;
    await session.send('Network.emulateNetworkConditions', {
      ...{ offline, latency: 20 },
      ...{ downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond },
    });
  };
  return { limit: (kbps) => emulate(false, kbps), cut: () => emulate(true, 0) };
}

/**
 * The autoplay policy of browsers: no audio before a gesture. The browser's own policy cannot be tested,
 * as it takes what a test does to a page for a gesture.
 */
const AUDIO_NEEDS_A_GESTURE = `{
  let pressed = false;
  for (const type of ['pointerdown', 'keydown']) {
    addEventListener(type, () => { pressed = true; }, { capture: true });
  }
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    return this.muted || pressed
      ? play.call(this)
      : Promise.reject(new DOMException('play() needs a gesture first', 'NotAllowedError'));
  };
}`;

const DESCRIBE_PLAYBACK = `(() => {
  const { buffered, currentTime, duration, ended, paused, readyState } = document.querySelector('video');
  const ranges = Array.from({ length: buffered.length }, (_, index) => [buffered.start(index), buffered.end(index)]);
  const view = { ...document.querySelector('.watch').dataset };
  return JSON.stringify({ ...view, currentTime, duration, ended, paused, readyState, ranges });
})()`;

export async function openWatchPage(
  browser: Browser,
  address: string,
  options: Readonly<{
    audioNeedsGesture?: boolean;
    /** Called before the page is opened. */
    prepare?(page: Page): Promise<unknown>;
  }> = {},
): Promise<WatchPage> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  if (options.audioNeedsGesture) await page.addInitScript(AUDIO_NEEDS_A_GESTURE);
  await options.prepare?.(page);
  const problems: string[] = [];
  page.on('console', (message) => {
    const text = message.text();
    const isProblem = message.type() === 'error' || message.type() === 'warning';
    if (isProblem && !text.startsWith('Failed to load resource')) problems.push(text);
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(address);
  const view = page.locator('.watch');
  const reaches = async (...states: readonly ViewingState[]): Promise<void> => {
    const wanted = states.map((state) => `.watch[data-state="${state}"]`).join();
    await page
      .locator(wanted)
      .waitFor()
      .catch(async () =>
        assert.fail(`expected ${states.join()}, is ${await page.evaluate(DESCRIBE_PLAYBACK)}`),
      );
  };
  const video = <Value>(read: (element: Video) => Value): Promise<Value> =>
    page.locator('video').evaluate(read as (element: unknown) => Value);

  return {
    page,
    problems,
    video,
    reaches,
    watches: () => reaches('live', 'behind', 'recording'),
    says: (text) =>
      page
        .getByText(text)
        .filter({ visible: true })
        .first()
        .waitFor()
        .catch(async () =>
          assert.fail(`expected “${text}”, is ${await page.evaluate(DESCRIBE_PLAYBACK)}`),
        ),
    fact: async (name) => (await view.getAttribute(`data-${name}`)) ?? '',
    async plays() {
      const from = await video(({ currentTime }) => currentTime);
      await until(`playback moves on from ${from}`, async () => {
        const now = await video(({ currentTime }) => currentTime);
        return now > from + 0.5;
      });
    },
    async scrubTo(share) {
      const range = page.locator('media-time-range');
      await page.locator('.player').hover();
      const box = await range.boundingBox();
      assert.ok(box);
      await page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
    },
    async choose(menu, name) {
      await page.locator('.player').hover();
      await page.locator('media-settings-menu-button').click();
      await page.locator(`.${menu}-item`).click();
      await page.locator(`.${menu}-menu media-chrome-menu-item`, { hasText: name }).last().click();
      await page.keyboard.press('Escape');
    },
    chosen: async (menu) =>
      (await page
        .locator(`.${menu}-menu media-chrome-menu-item[aria-checked="true"]`)
        .textContent()) ?? '',
    close: () => context.close(),
  };
}
