import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildPages } from '../../web/build.ts';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import {
  type FakeStreamServer,
  fakeStream,
  OWNER_KEY,
  publishEachSecond,
  startFakeStreamServer,
} from './fake-stream-server.ts';
import { until } from './watch-page-driver.ts';

const WAIT_MS = 60_000;
const PHONE = { width: 390, height: 844 };

describe('the home page', { skip: withoutChromium() }, () => {
  let folder: string;
  let server: FakeStreamServer;
  let browser: Browser;
  /** It is live for as long as a test takes. */
  let endBroadcast: () => void;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'rivulet-home-'));
    await buildPages(folder);
    // It plays nothing.
    server = await startFakeStreamServer(folder, { folder, durations: {} });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    server.streams.clear();
    const nowMs = Date.now();
    const stage = fakeStream({
      ...{ title: 'Main stage', listed: true, published: 3120, viewers: 12 },
      ...{ poster: '/media/stage/p.svg', storageBytes: 2_840_000_000 },
    });
    server.streams.set('stage', stage);
    endBroadcast = publishEachSecond(stage);
    server.streams.set(
      'talk',
      fakeStream({
        ...{ title: 'A talk about rivers', listed: true, state: 'ended', published: 2712 },
        ...{ endedAtMs: nowMs - 7_200_000, storageBytes: 912_000_000 },
        poster: '/media/talk/p.svg',
      }),
    );
    server.streams.set('cam', fakeStream({ title: 'Yard camera', published: 90, viewers: 0 }));
  });

  afterEach(() => endBroadcast());

  async function open(
    t: TestContext,
    hash = '',
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; problems: readonly string[]; titles(): Promise<string[]> }> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    t.after(() => context.close());
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      const said = message.text();
      const isProblem = ['error', 'warning'].includes(message.type());
      if (isProblem && !said.startsWith('Failed to load resource')) problems.push(said);
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`${server.url}/${hash}`);
    await page.locator('.card').first().waitFor();
    return { page, problems, titles: () => page.locator('.card-title').allTextContents() };
  }
  const asOwner = (t: TestContext, options?: Parameters<Browser['newContext']>[0]) =>
    open(t, `#key=${OWNER_KEY}`, options);

  test('home page: visitors see what is listed, search it and filter it, and find the form for the key', async (t) => {
    const { page, titles, problems } = await open(t);
    assert.deepEqual(await titles(), ['Main stage', 'A talk about rivers']);
    const stage = page.locator('.card').first();
    assert.equal(await stage.locator('.card-badge').innerText(), 'Live');
    assert.equal(await stage.locator('.card-viewers').innerText(), '12 watching');
    assert.match(await stage.locator('.card-length').innerText(), /^52:\d\d$/);
    await stage.locator('.card-poster').waitFor();
    assert.equal(await stage.locator('.card-owner').isVisible(), false);
    assert.equal(await page.locator('.card').nth(1).locator('.card-length').innerText(), '45:12');
    await page.getByRole('radio', { name: 'Recordings' }).check();
    assert.deepEqual(await titles(), ['A talk about rivers']);
    await page.getByRole('radio', { name: 'All' }).check();
    await page.getByRole('searchbox').fill('MAIN');
    assert.deepEqual(await titles(), ['Main stage']);
    await page.getByRole('searchbox').fill('nothing of that kind');
    await page.getByText('No stream matches.').waitFor();
    await page.getByRole('searchbox').fill('');

    await page.getByRole('button', { name: 'For the owner' }).press('Enter');
    await page.keyboard.type(OWNER_KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'New stream' }).waitFor();
    await until('all streams are there', async () => (await titles()).length === 3);
    assert.equal(
      await page.locator('#owner-key').inputValue(),
      '',
      'the key is not left in the page',
    );
    assert.deepEqual(problems, []);
  });

  test('home page: a stream is created by keyboard, and its key is shown once, with commands to paste', async (t) => {
    const { page, problems } = await asOwner(t);
    await page.getByRole('button', { name: 'New stream' }).press('Enter');
    await page.keyboard.type('Evening Show');
    const dialog = page.locator('#create-dialog');
    const id = dialog.getByLabel('Id', { exact: true });
    assert.equal(await id.inputValue(), 'evening-show');
    await id.fill('talk');
    await page.keyboard.press('Enter');
    await dialog.getByText('There is a stream with this id already').waitFor();
    assert.equal(server.streams.get('talk')?.title, 'A talk about rivers', 'it is not changed');
    await id.fill('evening');
    await dialog.getByLabel('List on the home page').check();
    await dialog.getByText('More settings').click();
    await dialog.getByLabel('Qualities').selectOption({ label: 'HD: 720p to 240p' });
    await dialog.getByRole('button', { name: 'Create stream' }).click();

    const manage = page.locator('#manage-dialog');
    await manage.getByRole('heading', { name: 'Evening Show' }).waitFor();
    const key = await manage.locator('.upload-key').innerText();
    assert.match(key, /^upload-key-\d+$/);
    const host = server.url.replace('http://', '');
    const address = `http://x:${key}@${host}/upload/evening/live.m3u8`;
    assert.match(await manage.locator('.push-ffmpeg').innerText(), new RegExp(`PUT ${address}$`));
    await manage.getByRole('radio', { name: 'OBS' }).check();
    assert.equal(await manage.locator('.push-obs-url').innerText(), address);
    await manage.getByRole('radio', { name: 'Browser' }).check();
    const studio = `${server.url}/studio#stream=evening&key=${key}`;
    assert.equal(await manage.locator('.open-studio').getAttribute('href'), studio);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await manage.locator('[data-copy=".push-studio"]').click();
    await manage.getByText('Copied').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), studio);

    await page.keyboard.press('Escape');
    await until(
      'the key is gone with the dialog',
      async () => !(await page.content()).includes(key),
    );
    await page.getByRole('button', { name: 'Manage Evening Show' }).click();
    assert.equal(await manage.locator('.key-line').isVisible(), false);
    await manage.getByRole('radio', { name: 'ffmpeg' }).check();
    assert.match(await manage.locator('.push-ffmpeg').innerText(), /x:UPLOAD_KEY@/);

    await manage.getByRole('button', { name: 'Make a new key' }).click();
    await manage.getByRole('button', { name: 'Cancel' }).click();
    await manage.getByRole('button', { name: 'Make a new key' }).click();
    await manage.getByRole('button', { name: 'Make a new key' }).click();
    await manage.locator('.upload-key').waitFor();
    assert.notEqual(await manage.locator('.upload-key').innerText(), key);
    assert.deepEqual(problems, []);
  });

  test('home page: settings are changed, and a stream is ended and, by typing its id, deleted', async (t) => {
    const { page, titles, problems } = await asOwner(t);
    await page.getByRole('button', { name: 'Manage Main stage' }).click();
    const manage = page.locator('#manage-dialog');
    assert.equal(await manage.locator('.health-storage dd').innerText(), '2.8 GB');
    assert.equal(await manage.locator('.health-viewers dd').innerText(), '12');
    assert.match(await manage.locator('.health-signal').innerText(), /^Arriving, the last/);

    await manage.getByRole('heading', { name: 'Settings' }).click();
    await manage.getByLabel('Title').fill('Main stage, day 2');
    await manage.getByLabel('Rewind while live').selectOption({ label: 'To the start' });
    await manage.getByLabel('WebM files').selectOption({ label: 'Never' });
    const captions = manage.getByLabel('Default captions');
    assert.deepEqual(await captions.locator('option').allTextContents(), ['None']);
    await manage.getByLabel('Keep the recording for').selectOption({ label: '7 days' });
    await manage.getByLabel('Keep marked parts for').selectOption({ label: 'For ever' });
    assert.equal(await manage.getByLabel('Segment length').isDisabled(), true);
    assert.equal(await manage.locator('.health-since').isVisible(), false);
    await manage.getByRole('button', { name: 'Save settings' }).click();
    await manage.getByText('Saved').waitFor();
    assert.equal(await manage.getByLabel('Keep the recording for').inputValue(), '7');
    await manage.getByRole('heading', { name: 'Main stage, day 2' }).waitFor();
    await manage.getByRole('button', { name: 'Save settings' }).click();
    await manage.getByText('Nothing was changed.').waitFor();

    const stage = server.streams.get('stage') ?? assert.fail();
    stage.failsWith = 503;
    await manage.getByLabel('Title').fill('Too late');
    await manage.getByRole('button', { name: 'Save settings' }).click();
    await manage.getByText('HTTP 503').waitFor();
    delete stage.failsWith;

    await manage.getByRole('heading', { name: 'End the stream' }).click();
    await manage.getByRole('button', { name: 'End the stream' }).click();
    await manage.getByText('It has ended.').waitFor();
    assert.equal(stage.state, 'ended');

    await manage.getByRole('heading', { name: 'Delete the stream' }).click();
    const remove = manage.getByRole('button', { name: 'Delete for good' });
    await manage.locator('#delete-id').fill('stag');
    assert.equal(await remove.isDisabled(), true);
    await manage.locator('#delete-id').fill('stage');
    await remove.click();
    await until('the card is gone', async () => (await titles()).length === 2);
    assert.equal(server.streams.has('stage'), false);
    assert.equal(await manage.isVisible(), false);
    assert.deepEqual(problems, []);
  });

  test('home page: kept clips are listed with their lengths, open where they begin, and are removed', async (t) => {
    const { page, problems } = await asOwner(t);
    const day = '2026-01-01T10:';
    const clips = [
      { id: 'a', title: 'The goal', from: `${day}00:00.000Z`, to: `${day}01:05.000Z`, hls: '' },
      { id: 'b', title: 'The song', from: `${day}30:00.000Z`, to: `${day}33:00.500Z`, hls: '' },
    ];
    const removed: string[] = [];
    await page.route('**/clips/stage**', async (route) => {
      const [method, id = ''] = [route.request().method(), route.request().url().split('/').at(-1)];
      if (method === 'GET') return route.fulfill({ json: { clips } });
      removed.push(`${method} ${id} ${await route.request().headerValue('authorization')}`);
      return route.fulfill({ status: 204 });
    });
    await page.getByRole('button', { name: 'Manage Main stage' }).click();
    const manage = page.locator('#manage-dialog');
    await manage.getByRole('heading', { name: 'Clips' }).click();
    const items = manage.locator('.clips > li');
    await items.first().waitFor();
    const texts = () =>
      items.evaluateAll((all) => all.map((item) => [...item.children].map((c) => c.textContent)));
    assert.deepEqual(await texts(), [
      ['The goal', '1:05', 'Remove'],
      ['The song', '3:00', 'Remove'],
    ]);
    assert.equal(
      await manage.getByRole('link', { name: 'The song' }).getAttribute('href'),
      `/watch/stage?from=${day}30:00.000Z&to=${day}33:00.500Z`,
    );
    for (const name of ['Remove the clip “The goal”', 'Remove the clip “The song”']) {
      const before = await items.count();
      await manage.getByRole('button', { name }).click();
      await until('it is gone', async () => (await items.count()) === before - 1);
    }
    assert.deepEqual(
      removed,
      ['a', 'b'].map((id) => `DELETE ${id} Bearer ${OWNER_KEY}`),
    );
    await manage.getByText('No clips are kept.').waitFor();
    assert.deepEqual(problems, []);
  });

  test('home page: nothing is wider than a phone, in either colour scheme', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, problems } = await asOwner(t, { colorScheme, viewport: PHONE });
      const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert.equal(await overflow(), 0);
      await page.getByRole('button', { name: 'Manage Main stage' }).click();
      const dialog = page.locator('#manage-dialog');
      const hidden = `(() => {
        const { scrollWidth, clientWidth } = document.querySelector('#manage-dialog');
        return scrollWidth - clientWidth;
      })()`;
      await dialog.waitFor();
      assert.equal(await page.evaluate(hidden), 0);
      assert.deepEqual(problems, []);
    }
  });
});
