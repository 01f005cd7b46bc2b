import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { declarationsOf, readCaptionStyle } from '../../web/watch/caption-style.ts';
import { withoutChromium } from '../support/chromium.ts';
import { type FakeStreamServer, fakeStream } from './fake-stream-server.ts';
import { type ServedPages, servePages } from './served-pages.ts';
import { openWatchPage, until } from './watch-page-driver.ts';

test('style of captions: what is chosen becomes CSS, and what makes no sense is left out', () => {
  assert.equal(declarationsOf({}), '');
  assert.equal(
    declarationsOf({ size: 'larger', colour: 'black', background: 'solid', edge: 'none' }),
    'font-size: 160%; color: #000; background-color: rgb(255 255 255 / 1); text-shadow: none;',
  );
  assert.equal(
    declarationsOf({ colour: 'black' }),
    'color: #000; background-color: rgb(255 255 255 / 0.6);',
    'not on the black background that captions have by themselves',
  );
  assert.deepEqual(readCaptionStyle({ size: 'huge', colour: 'yellow', font: 7, url: 'x' }), {
    colour: 'yellow',
  });
});

/** Text of the cues on the screen; empty: none. */
const SHOWN = `[...document.querySelector('video').textTracks]
  .filter(({ mode }) => mode === 'showing')
  .flatMap(({ activeCues }) => [...(activeCues ?? [])])
  .map(({ text }) => text)
  .join()`;

const LOOK = `(() => {
  const { color, fontSize } = getComputedStyle(document.querySelector('.caption-sample span'));
  return color + ' ' + fontSize;
})()`;

const shown = (page: Page): Promise<string> => page.evaluate(SHOWN);

describe('captions on the watch page', { skip: withoutChromium() }, () => {
  let served: ServedPages;
  let server: FakeStreamServer;
  let browser: Browser;

  before(async () => {
    served = await servePages();
    ({ server, browser } = served);
  });
  after(() => served?.close());

  test('are chosen by language, go and come with a key, and are remembered with their style', async (t) => {
    const captions = ['English', 'Deutsch'];
    server.streams.set('captioned', fakeStream({ state: 'ended', published: 60, captions }));
    const viewer = await openWatchPage(browser, `${server.url}/watch/captioned`);
    t.after(viewer.close);
    const { page } = viewer;
    await viewer.reaches('recording');
    await viewer.plays();
    assert.equal(await shown(page), '');
    await viewer.choose('captions', 'Deutsch');
    await until('German is shown', async () => /^Deutsch \d+$/.test(await shown(page)));
    assert.equal((await viewer.chosen('captions')).trim(), 'Deutsch');
    await page.keyboard.press('c');
    await until('nothing is shown', async () => (await shown(page)) === '');
    await page.keyboard.press('c');
    await until('German is shown again', async () => /^Deutsch/.test(await shown(page)));
    const style = page.locator('.caption-style');
    const openStyle = async (): Promise<void> => {
      await page.locator('.player').hover();
      await page.locator('media-settings-menu-button').click();
      await page.locator('.captions-item').click();
      await page.locator('.captions-menu media-chrome-menu-item', { hasText: 'Style' }).click();
      await style.waitFor();
    };
    await openStyle();
    await style.getByLabel('Size').selectOption({ label: 'Largest' });
    await style.getByLabel('Colour').selectOption({ label: 'Yellow' });
    const look = () => page.evaluate(LOOK);
    assert.equal(await look(), 'rgb(255, 255, 0) 32px');
    await page.keyboard.press('Escape');
    await style.waitFor({ state: 'hidden' });
    await page.reload();
    await viewer.reaches('recording');
    await until('German is shown', async () => /^Deutsch \d+$/.test(await shown(page)));
    assert.equal(await look(), 'rgb(255, 255, 0) 32px');
    await viewer.choose('captions', 'Off');
    await page.reload();
    await viewer.reaches('recording');
    await viewer.plays();
    assert.equal(await shown(page), '');
    assert.deepEqual(viewer.problems, []);
    if (process.env.SCREENSHOTS) {
      await viewer.choose('captions', 'Deutsch');
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/captions.png` });
      await openStyle();
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/caption-style.png` });
    }
  });
});
