/** The watch page in a browser, as a test sees and uses it. */

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { ViewingState } from '../../web/watch/viewing.ts';

const WAIT_MS = 15_000;

type Video = { currentTime: number; paused: boolean; muted: boolean; duration: number };

export type WatchPage = Readonly<{
  page: Page;
  /** What the console said, but for requests that failed. */
  complaints: readonly string[];
  reaches(state: ViewingState): Promise<void>;
  /** This text comes to be seen. */
  says(text: string): Promise<void>;
  /** A `data-` attribute of the view. */
  fact(name: string): Promise<string>;
  video<Value>(read: (video: Video) => Value): Promise<Value>;
  /** The clock of the picture moves on from where it is now. */
  plays(): Promise<void>;
  /** Presses on the time range, at a share of its width. */
  scrubTo(share: number): Promise<void>;
  choose(menu: 'quality' | 'audio', name: string): Promise<void>;
  close(): Promise<void>;
}>;

/** Waits until `check` answers true; `what` says in the failure what was waited for. */
export async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
    await delay(50);
  }
}

/**
 * What browsers do to pages that start with sound before anything was pressed. The browser's own rule
 * cannot be tested: whatever a test asks of a page counts as a press there.
 */
const SOUND_NEEDS_A_PRESS = `{
  let pressed = false;
  for (const type of ['pointerdown', 'keydown']) {
    addEventListener(type, () => { pressed = true; }, { capture: true });
  }
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    return this.muted || pressed
      ? play.call(this)
      : Promise.reject(new DOMException('play() needs a press first', 'NotAllowedError'));
  };
}`;

export async function openWatchPage(
  browser: Browser,
  address: string,
  options: Readonly<{ soundNeedsPress?: boolean }> = {},
): Promise<WatchPage> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  if (options.soundNeedsPress) await page.addInitScript(SOUND_NEEDS_A_PRESS);
  const complaints: string[] = [];
  page.on('console', (message) => {
    const text = message.text();
    const isProblem = message.type() === 'error' || message.type() === 'warning';
    if (isProblem && !text.startsWith('Failed to load resource')) complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  const view = page.locator('.watch');
  const video = <Value>(read: (element: Video) => Value): Promise<Value> =>
    page.locator('video').evaluate(read as (element: unknown) => Value);

  return {
    page,
    complaints,
    video,
    async reaches(state) {
      try {
        await page.locator(`.watch[data-state="${state}"]`).waitFor();
      } catch {
        assert.fail(`expected ${state}, is ${await view.getAttribute('data-state')}`);
      }
    },
    says: (text) => page.getByText(text).filter({ visible: true }).first().waitFor(),
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
    close: () => context.close(),
  };
}
