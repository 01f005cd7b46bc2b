import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { readDelay, useFakeDevices } from '../support/fake-camera.ts';
import { appendedMoments, appendsOf, lipSyncOf, recordAppends } from '../support/lip-sync.ts';
import { startTestSystem } from '../support/system.ts';
import { openWatchPage, until } from '../web/watch-page-driver.ts';

const LADDER = [{ name: '180p', shortSidePx: 180, maxrateBps: 250_000 }];
const SECONDS = 12;
/** What viewers do not notice (EBU R37): sound early by 40 ms, late by 60 ms. */
const EARLIEST_SOUND = 0.04;
const LATEST_SOUND = -0.06;
/** The page says its delay four times a second, by the newest answer of the server. */
const DELAY_TOLERANCE = 1.5;

test('what a host sends from a browser reaches a viewer with picture and sound together, as late as the page says', {
  skip: withoutChromium(),
}, async (t) => {
  const system = await startTestSystem(t);
  const body = JSON.stringify({ ladder: LADDER, targetDurationSeconds: 2 });
  const created = await system.fetch('/streams/sync', { method: 'PUT', body });
  const { uploadKey } = (await created.json()) as { uploadKey: string };
  const browser = await launchChromium(['--use-fake-ui-for-media-stream']);
  t.after(() => browser.close());
  const host = await browser.newContext();
  host.setDefaultTimeout(60_000);
  const studio = await host.newPage();
  await useFakeDevices(studio);
  await studio.goto(`${system.url}/studio#stream=sync&key=${uploadKey}`);
  await studio.locator('#quality').selectOption('360p');
  await studio.locator('.screen-and-camera[data-layout="camera"]').waitFor();
  await studio.locator('.go-live').click();
  await studio.locator('.studio[data-state="live"]').waitFor();

  const viewer = await openWatchPage(browser, `${system.url}/watch/sync`, {
    prepare: recordAppends,
  });
  await viewer.watches();
  const timeNow = () => viewer.video(({ currentTime }) => currentTime);
  const from = await timeNow();
  await until(`${SECONDS} s have played`, async () => (await timeNow()) > from + SECONDS);
  const { burned, shown } = await readDelay(viewer.page);
  t.diagnostic(`delay by the burned clock ${burned.toFixed(1)} s, by the page ${shown} s`);
  assert.ok(Math.abs(burned - shown) < DELAY_TOLERANCE, `${burned} s, ${shown} s on the page`);

  const offsets = lipSyncOf(await appendedMoments(await appendsOf(viewer.page)));
  const milliseconds = offsets.map((offset) => Math.round(offset * 1000));
  t.diagnostic(`sound before picture, in ms: ${milliseconds.join(', ')}`);
  assert.ok(offsets.length >= SECONDS - 4, `${offsets.length} flashes`);
  for (const offset of offsets) {
    assert.ok(offset <= EARLIEST_SOUND && offset >= LATEST_SOUND, milliseconds.join());
  }
  assert.deepEqual(viewer.problems, []);
});
