import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { ffmpeg, probe } from '../support/ffmpeg.ts';
import { startTestSystem, temporaryFolder } from '../support/system.ts';
import { until } from './watch-page-driver.ts';

const WAIT_MS = 90_000;
const PADDING_BYTES = 18 * 1024 * 1024;

/** A box that players pass over: the file has three parts, and is quickly processed. */
async function pad(path: string): Promise<void> {
  const box = Buffer.alloc(PADDING_BYTES);
  box.writeUInt32BE(PADDING_BYTES);
  box.write('free', 4, 'latin1');
  await appendFile(path, box);
}

describe('the upload of a file on the home page', { skip: withoutChromium() }, () => {
  test('goes on after a reload where it was broken off, and shows when it can be watched', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'My film.mp4');
    await ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=8', '-c:v', 'libx264', '-g', '20', path],
    ]);
    await pad(path);
    const system = await startTestSystem(t);
    const browser = await launchChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on('dialog', (dialog) => dialog.accept());
    const sent: string[] = [];
    let isBroken = true;
    await page.route('**/presigned/**', (route) => {
      const part = new URL(route.request().url()).searchParams.get('part') ?? '';
      if (isBroken && part !== '1') return route.abort();
      sent.push(part);
      return route.continue();
    });
    await page.goto(`${system.url}/#key=${system.ownerKey}`);
    await page.getByRole('button', { name: 'Upload a file' }).click();
    const dialog = page.locator('#upload-dialog');
    await dialog.locator('[type="file"]').setInputFiles(path);
    assert.equal(await dialog.locator('[name="title"]').inputValue(), 'My film');
    await dialog.getByRole('button', { name: 'Upload' }).click();
    // Stored, and not only on its way: it is not sent again.
    const stored = () =>
      dialog.locator('progress').evaluate((bar) => (bar as unknown as { value: number }).value);
    await until('the first part is stored', async () => (await stored()) > 0);
    await dialog.getByText('Trying again').waitFor();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByText('Paused').waitFor();
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.getByText('Trying again').waitFor();

    await page.reload();
    // Not before: a part that is sent again now would be cut off, and sent once more.
    isBroken = false;
    await dialog.getByText(/% of My film\.mp4 is on the server/).waitFor();
    const card = page.locator('.card').first();
    assert.equal(await card.locator('.card-badge').innerText(), 'File');
    assert.match(await card.locator('.card-facts').innerText(), /^\d+ % of the file uploaded$/);
    const other = join(folder, 'other.mp4');
    await writeFile(other, 'x');
    await dialog.locator('[type="file"]').setInputFiles(other);
    await dialog.getByRole('button', { name: 'Upload' }).click();
    await dialog.getByText(/Choose My film\.mp4/).waitFor();
    await dialog.locator('[type="file"]').setInputFiles(path);
    await dialog.getByRole('button', { name: 'Upload' }).click();
    await dialog.getByText('Done: 0:08').waitFor();
    assert.deepEqual(sent.toSorted(), ['1', '2', '3']);
    const watch = dialog.getByRole('link', { name: 'Watch' });
    assert.equal(await watch.getAttribute('href'), '/watch/my-film?t=0');
    const [video] = await probe(`${system.url}/viewstream/metadata/my-film.m3u8`);
    assert.equal(video?.nb_read_frames, '80');
  });
});
