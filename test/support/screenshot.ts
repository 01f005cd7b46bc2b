/**
 * `npm run screenshot -- [FILE]`: runs the system with its demo on a temporary folder and a free port, and
 * saves what a viewer sees; by default as docs/watch-page.png. Fails above 300 KB.
 */

import { writeFile } from 'node:fs/promises';
import { launchChromium } from './chromium.ts';
import { startTestSystem, waitFor } from './system.ts';

const MAX_BYTES = 300_000;
const TIMEOUT_MS = 120_000;
/** Playback by then has left the first, coarse segments and has a window to rewind in. */
const PLAYED_SECONDS = 12;

const file = process.argv[2] ?? 'docs/watch-page.png';
const endings: (() => unknown)[] = [];
try {
  await takeScreenshot();
} finally {
  for (const end of endings.toReversed()) await end();
}

async function takeScreenshot(): Promise<void> {
  const system = await startTestSystem({ after: (end) => endings.push(end) }, { args: [] });
  // A kill would leave the demo's encoder behind.
  endings.push(() => system.kill('SIGTERM'));
  const browser = await launchChromium();
  endings.push(() => browser.close());
  const page = await browser.newPage({
    viewport: { width: 1120, height: 760 },
    colorScheme: 'light',
  });
  await page.goto(`${system.url}/watch/demo`);
  const view = page.locator('section.watch');
  await waitFor(
    'undisturbed live playback',
    async () =>
      (await view.getAttribute('data-state')) === 'live' &&
      Number(await view.getAttribute('data-time')) > PLAYED_SECONDS &&
      (await view.getAttribute('data-level')) === '720p',
    TIMEOUT_MS,
  );
  // Keeps the controls on the screen.
  await page.locator('.player').hover();
  const png = await page.screenshot({ type: 'png', animations: 'disabled' });
  if (png.length > MAX_BYTES) throw new Error(`${png.length} bytes; at most ${MAX_BYTES}.`);
  await writeFile(file, png);
  console.log(`${file}: ${png.length} bytes`);
}
