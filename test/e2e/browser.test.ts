import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Locator } from 'playwright-core';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const ENCODER = fileURLToPath(new URL('../../bin/encoder.ts', import.meta.url));
const LADDER = [
  { name: '360p', shortSidePx: 360, maxrateBps: 700_000 },
  { name: '180p', shortSidePx: 180, maxrateBps: 250_000 },
];

const dataOf = (view: Locator, name: string): Promise<string | null> =>
  view.getAttribute(`data-${name}`);

/** If it does not, the error lists the values that it had meanwhile. */
async function becomes(view: Locator, name: string, expected: RegExp): Promise<void> {
  const seen: (string | null)[] = [];
  const ask = async () => {
    const value = await dataOf(view, name);
    if (value !== seen.at(-1)) seen.push(value);
    return value !== null && expected.test(value);
  };
  await waitFor(`data-${name} ${expected}`, ask, 60_000).catch((cause) => {
    throw new Error(`${cause.message}; it was ${seen.join(', ')}`, { cause });
  });
}

/** The part of HTMLVideoElement that the test reads; the DOM's types are not loaded here. */
type Video = {
  currentTime: number;
  readonly duration: number;
  readonly videoHeight: number;
  readonly ended: boolean;
  readonly seekable: { start(index: number): number };
  play(): Promise<void>;
};

const inPage = <T>(locator: Locator, run: (element: Video) => T): Promise<Awaited<T>> =>
  locator.evaluate(run as (element: unknown) => T) as Promise<Awaited<T>>;

test('a viewer watches live in a browser, rewinds, changes the level, and watches the recording', {
  skip: withoutChromium(),
}, async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const system = await startTestSystem(t);
  const created = await system.fetch('/streams/show', {
    method: 'PUT',
    body: JSON.stringify({ title: 'The show', ladder: LADDER, targetDurationSeconds: 2 }),
  });
  assert.equal(created.status, 201);
  const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // The page requests a stream that has not started, and the answer is 404.
    if (message.type() === 'error' && !/404/.test(message.text())) problems.push(message.text());
  });
  await page.goto(`${system.url}/watch/show`);
  const view = page.locator('section.watch');
  await becomes(view, 'state', /waiting/);
  const encoder = await startEncoder(t, system);
  await becomes(view, 'state', /^live$/);
  const video = page.locator('video');
  const timeNow = () => inPage(video, (element) => element.currentTime);
  const startTime = await timeNow();
  await waitFor('playback to advance', async () => (await timeNow()) > startTime + 1);
  const choose = async (quality: string): Promise<void> => {
    await page.locator('.player').hover();
    await page.locator('media-settings-menu-button').click();
    await page.locator('.quality-item').click();
    const menu = page.locator('.quality-menu media-chrome-menu-item', { hasText: quality });
    await menu.last().click();
    await page.keyboard.press('Escape');
    await page.locator('.quality-item').waitFor({ state: 'hidden' });
  };
  for (const height of [180, 360]) {
    await choose(`${height}p`);
    await becomes(view, 'level', new RegExp(`${height}p`));
    await waitFor('the other level', () =>
      inPage(video, (element) => element.videoHeight).then((shown) => shown === height),
    );
  }
  await waitFor('something to rewind to', async () => (await timeNow()) > 10, 60_000);
  const before = await timeNow();
  await inPage(video, (element) => {
    element.currentTime = element.seekable.start(0) + 1;
  });
  await waitFor('the earlier position', async () => (await timeNow()) < before - 4);
  await becomes(view, 'state', /behind/);
  const back = await timeNow();
  await waitFor('playback to advance there', async () => (await timeNow()) > back + 1);
  const ended = once(encoder, 'exit');
  encoder.kill('SIGINT');
  assert.deepEqual(await ended, [130, null]);
  await becomes(view, 'ended', /true/);
  const duration = await waitFor('the whole recording', () =>
    inPage(video, ({ duration }) => (Number.isFinite(duration) ? duration : null)),
  );
  await inPage(video, (element) => {
    element.currentTime = element.duration - 1.5;
    return element.play();
  });
  await waitFor('the end', () => inPage(video, (element) => element.ended));
  assert.ok(duration > 10);
  assert.deepEqual(problems, []);
});

async function startEncoder(t: import('node:test').TestContext, system: TestSystem) {
  const spool = await temporaryFolder(t);
  const args = ['testsrc', '--to', system.url, '--stream', 'show', '--spool', spool, '--quiet'];
  const encoder = spawn(process.execPath, [ENCODER, ...args, '--size', '640x360'], {
    env: { ...process.env, RIVULET_KEY: system.ownerKey },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  t.after(() => encoder.kill('SIGKILL'));
  return encoder;
}
