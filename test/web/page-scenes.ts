/** Every page in the states that people meet it in, to be looked at: by eyes, and by tools. */

import type { Page } from 'playwright-core';
import type { MarkerView } from '../../lib/api/messages.ts';
import { type FakeStreamServer, fakeStream, OWNER_KEY } from './fake-stream-server.ts';
import { type StudioServer, UPLOAD_KEY } from './studio-server.ts';

export type Servers = Readonly<{ streams: FakeStreamServer; studio: StudioServer }>;

export type Scene = Readonly<{
  name: string;
  /** Resolves when all of it is on the screen. */
  show(page: Page, servers: Servers): Promise<void>;
}>;

/** What the scenes show. */
export function fillWithStreams({ streams }: FakeStreamServer): void {
  const nowMs = Date.now();
  streams.clear();
  streams.set(
    'stage',
    fakeStream({
      ...{ title: 'Main stage', listed: true, published: 60, captions: ['Deutsch'], viewers: 12 },
      ...{ poster: '/media/stage/p.svg', storageBytes: 2_840_000_000 },
      markers: [
        marker('m1', 'goal', 'One to nil', nowMs - 20_000),
        marker('m2', 'foul', 'Yellow card', nowMs - 8000),
      ],
    }),
  );
  streams.set(
    'yard',
    fakeStream({
      // Longer on: the list has it behind the other.
      ...{ title: 'Yard camera', listed: true, published: 90 },
      newestUploadAtMs: nowMs - 40_000,
    }),
  );
  streams.set('soon', fakeStream({ title: 'Evening show', listed: true, state: 'created' }));
  streams.set(
    'talk',
    fakeStream({
      ...{ title: 'Council meeting: the long agenda of a long evening in the town hall' },
      ...{ listed: true, state: 'ended', published: 120, storageBytes: 912_000_000 },
      ...{ endedAtMs: nowMs - 7_200_000, poster: '/media/talk/p.svg' },
    }),
  );
}

const marker = (id: string, name: string, text: string, atMs: number): MarkerView => ({
  ...{ id, class: name, text },
  at: new Date(atMs).toISOString(),
});

const asOwner = ({ streams }: Servers): string => `${streams.url}/#key=${OWNER_KEY}`;
const studioOf = ({ studio }: Servers): string =>
  `${studio.url}/studio#stream=my-show&key=${UPLOAD_KEY}`;

async function watch(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.locator('.watch:is([data-state="live"], [data-state="behind"])').waitFor();
  await page.locator('.player').hover();
}

async function manage(page: Page, servers: Servers): Promise<void> {
  await page.goto(asOwner(servers));
  await page.locator('.card-manage').first().click();
  await page.locator('.health-storage dd').filter({ hasText: 'GB' }).waitFor();
}

export const SCENES: readonly Scene[] = [
  {
    name: 'home',
    async show(page, { streams }) {
      await page.goto(streams.url);
      await page.locator('.card-poster').first().waitFor();
    },
  },
  {
    name: 'home of the owner',
    async show(page, servers) {
      await page.goto(asOwner(servers));
      await page.locator('.card-manage').first().waitFor();
    },
  },
  {
    name: 'home, key',
    async show(page, { streams }) {
      await page.goto(streams.url);
      await page.locator('.card').first().waitFor();
      await page.getByRole('button', { name: 'For the owner' }).click();
    },
  },
  {
    name: 'home, new stream',
    async show(page, servers) {
      await page.goto(asOwner(servers));
      await page.getByRole('button', { name: 'New stream' }).click();
      await page.locator('#create-dialog summary').click();
    },
  },
  { name: 'home, manage', show: manage },
  {
    name: 'home, manage, key',
    async show(page, servers) {
      await manage(page, servers);
      const dialog = page.locator('#manage-dialog');
      await dialog.getByRole('button', { name: 'Make a new key' }).click();
      await dialog.getByRole('button', { name: 'Make a new key' }).click();
      await dialog.locator('.upload-key').waitFor();
      await dialog.getByRole('radio', { name: 'OBS' }).check();
      for (const name of ['Settings', 'End the stream', 'Delete the stream']) {
        await dialog.getByRole('heading', { name }).click();
      }
    },
  },
  { name: 'watch', show: (page, { streams }) => watch(page, `${streams.url}/watch/stage`) },
  {
    name: 'watch, panels',
    async show(page, { streams }) {
      await watch(page, `${streams.url}/watch/stage`);
      await page.locator('.stats-button').click();
      await page.locator('.share').click();
      await page.locator('.stats dd').first().waitFor();
      await page.locator('.marker').first().waitFor();
    },
  },
  {
    name: 'watch, clip',
    async show(page, { streams }) {
      await watch(page, `${streams.url}/watch/stage`);
      await page.locator('.clip-button').click();
      await page.locator('.clip-range').waitFor();
    },
  },
  {
    name: 'watch, keys',
    async show(page, { streams }) {
      await watch(page, `${streams.url}/watch/stage`);
      await page.keyboard.press('?');
      await page.locator('.keys').waitFor();
    },
  },
  {
    name: 'watch, style of captions',
    async show(page, { streams }) {
      await watch(page, `${streams.url}/watch/stage`);
      await page.locator('media-settings-menu-button').click();
      await page.locator('.captions-item').click();
      await page.locator('.captions-menu media-chrome-menu-item').last().click();
      await page.locator('.caption-style').waitFor();
    },
  },
  {
    name: 'watch, not started',
    async show(page, { streams }) {
      await page.goto(`${streams.url}/watch/soon`);
      await page.locator('.notice').waitFor();
    },
  },
  {
    name: 'watch, unknown',
    async show(page, { streams }) {
      await page.goto(`${streams.url}/watch/none`);
      await page.locator('.notice-action').waitFor();
    },
  },
  { name: 'embed', show: (page, { streams }) => watch(page, `${streams.url}/embed/stage`) },
  {
    name: 'wall',
    async show(page, { streams }) {
      await page.goto(`${streams.url}/wall?streams=stage,yard,soon,talk`);
      await page.locator('.tile').nth(3).waitFor();
      await page.locator('.tile:is([data-state="live"], [data-state="behind"])').first().waitFor();
    },
  },
  {
    name: 'wall, choice',
    async show(page, { streams }) {
      await page.goto(`${streams.url}/wall?streams=stage`);
      await page.locator('.wall-choose').click();
      await page.locator('.choice-item').first().waitFor();
    },
  },
  {
    name: 'studio, door',
    async show(page, { studio }) {
      await page.goto(`${studio.url}/studio`);
      await page.locator('.studio-door').waitFor();
    },
  },
  {
    name: 'studio',
    async show(page, servers) {
      await page.goto(studioOf(servers));
      await page.locator('.screen-and-camera[data-layout="camera"]').waitFor();
    },
  },
  {
    name: 'studio, live',
    async show(page, servers) {
      await page.goto(studioOf(servers));
      await page.locator('#quality').selectOption('360p');
      await page.locator('.screen-and-camera[data-layout="camera"]').waitFor();
      await page.locator('.go-live').click();
      await page.locator('.studio[data-state="live"]').waitFor();
    },
  },
];
