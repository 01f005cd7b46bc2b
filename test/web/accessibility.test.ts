/**
 * Each page in each state, light and dark, on a phone and on a desktop, by axe; and by keyboard alone.
 * With SCREENSHOTS=FOLDER a picture of each is saved there, to be looked at.
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildPages } from '../../web/build.ts';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { publishEachSecond, startFakeStreamServer } from './fake-stream-server.ts';
import { makeHlsMediaTree } from './hls-media-tree.ts';
import { fillWithStreams, SCENES, type Servers } from './page-scenes.ts';
import { startStudioServer } from './studio-server.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const SIZES = {
  phone: { width: 320, height: 660 },
  desktop: { width: 1280, height: 800 },
} as const;

/** More elements than any page has. */
const MOST_STOPS = 150;

/** What has the focus, and whether the page shows that it has. */
const FOCUSED = `(() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body) return null;
  window.walked ??= new Map();
  if (!walked.has(element)) walked.set(element, walked.size);
  // The mark may be drawn around a part that stands for it.
  const near = [element, element.nextElementSibling, element.getRootNode().host, element.parentElement];
  const look = () => near.filter((one) => one instanceof Element).map((one) => {
    const { outline, boxShadow, borderColor } = getComputedStyle(one);
    return [outline, boxShadow, borderColor].join();
  }).join();
  const withFocus = look();
  element.blur();
  const isMarked = look() !== withFocus;
  element.focus({ focusVisible: true, preventScroll: true });
  const { width, height, top, bottom } = element.getBoundingClientRect();
  return {
    id: walked.get(element),
    name: element.outerHTML.slice(0, 90),
    isMarked,
    isVisible: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
  };
})()`;

type Focused = Readonly<{ id: number; name: string; isMarked: boolean; isVisible: boolean }>;

describe('every page', { skip: withoutChromium() }, () => {
  let folder: string;
  let servers: Servers;
  let browser: Browser;
  let axe: string;
  const endings: (() => unknown)[] = [];

  before(async () => {
    axe = await readFile(AXE, 'utf8');
    folder = await mkdtemp(path.join(tmpdir(), 'rivulet-scenes-'));
    const pages = path.join(folder, 'pages');
    const [tree] = await Promise.all([
      makeHlsMediaTree(path.join(folder, 'media')),
      buildPages(pages),
    ]);
    const streams = await startFakeStreamServer(pages, tree);
    const studio = await startStudioServer(pages);
    browser = await launchChromium([
      '--use-fake-device-for-media-stream=fps=10',
      '--use-fake-ui-for-media-stream',
    ]);
    servers = { streams, studio };
    fillWithStreams(streams);
    const stage = streams.streams.get('stage');
    if (stage) endings.push(publishEachSecond(stage));
  });
  after(async () => {
    for (const end of endings) end();
    await browser?.close();
    await servers?.streams.close();
    await servers?.studio.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(t: TestContext, options: object): Promise<Page> {
    const context = await browser.newContext(options);
    t.after(() => context.close());
    context.setDefaultTimeout(60_000);
    return context.newPage();
  }

  for (const { name, show } of SCENES) {
    test(`pages: ${name} is accessible, and no wider than its window, in either colour scheme`, async (t) => {
      for (const [size, viewport] of Object.entries(SIZES)) {
        const page = await open(t, { viewport, colorScheme: 'light', reducedMotion: 'reduce' });
        await show(page, servers);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await save(page, `${name}, ${size}, ${colorScheme}`);
          assert.deepEqual(await violations(page), [], `${size}, ${colorScheme}`);
        }
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.equal(overflow, 0, size);
        await page.context().close();
      }
    });
  }

  /** Each with the elements that break the rule. */
  async function violations(page: Page): Promise<readonly string[]> {
    if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe);
    return page.evaluate<string[]>(`axe
      .run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ['violations'] })
      .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => [id, target.join(' '), failureSummary].join(': '))))`);
  }

  async function save(page: Page, name: string): Promise<void> {
    const to = process.env.SCREENSHOTS;
    if (!to) return;
    await mkdir(to, { recursive: true });
    await page.screenshot({
      animations: 'disabled',
      path: path.join(to, `${name.replaceAll(', ', '-').replaceAll(' ', '-')}.png`),
    });
  }

  for (const { name, show } of SCENES) {
    test(`keyboard: on ${name} Tab reaches each control, and shows where it is`, async (t) => {
      const page = await open(t, { viewport: SIZES.desktop, reducedMotion: 'reduce' });
      await show(page, servers);
      const stops = await walk(page);
      for (const stop of stops) {
        assert.ok(stop.isVisible, `not on the screen: ${stop.name}`);
        assert.ok(stop.isMarked, `without a mark of the focus: ${stop.name}`);
      }
      assert.deepEqual(await page.evaluate(UNREACHED), []);
    });
  }

  /** From stop to stop until it begins anew. */
  async function walk(page: Page): Promise<readonly Focused[]> {
    const stops = new Map<number, Focused>();
    for (let pressed = 0; pressed < MOST_STOPS; pressed += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate<Focused | null>(FOCUSED);
      if (focused && stops.has(focused.id) && stops.size > 1) break;
      if (focused) stops.set(focused.id, focused);
    }
    return [...stops.values()];
  }
});

/** Controls that are on the screen, can be used, and did not get the focus. Of radio buttons one does. */
const UNREACHED = `(() => {
  const modal = document.querySelector('dialog[open]') ?? document;
  const controls = [...modal.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  return controls
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .filter((one) => !one.disabled && one.type !== 'radio' && !one.closest('[hidden], [inert]'))
    .filter((one) => ![...walked.keys()].some((reached) => reached === one || one.shadowRoot?.contains(reached)))
    .map((one) => one.outerHTML.slice(0, 120));
})()`;
