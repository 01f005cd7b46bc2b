import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { probe } from '../support/ffmpeg.ts';
import { makeSegments } from '../support/media.ts';
import { startTestSystem, type TestSystem, waitFor } from '../support/system.ts';

const LADDER = [{ name: '180p', shortSidePx: 180, maxrateBps: 250_000 }];
const FRAME = 1 / 30;

/** The part of HTMLVideoElement that the test reads; the DOM's types are not loaded here. */
type Video = { currentTime: number; paused: boolean; readonly readyState: number; pause(): void };

const inVideo = <T>(page: Page, run: (video: Video, value: number) => T, value = 0): Promise<T> =>
  page.locator('video').evaluate(run as (video: unknown, value: number) => T, value) as Promise<T>;

const timeOf = (page: Page): Promise<number> => inVideo(page, ({ currentTime }) => currentTime);

async function recording(system: TestSystem): Promise<void> {
  const settings = { title: 'The show', ladder: LADDER, targetDurationSeconds: 2 };
  await system.fetch('/streams/show', { method: 'PUT', body: JSON.stringify(settings) });
  const { segments } = await makeSegments({ seconds: 8 });
  for (const [number, { bytes }] of segments.entries()) {
    const path = `/upload/show?segment=${number}&duration=2`;
    const { status } = await system.fetch(path, { method: 'POST', body: Buffer.from(bytes) });
    assert.equal(status, 201);
  }
  await system.fetch('/upload/show/end', { method: 'POST' });
  await waitFor('the recording', async () => {
    const view = await system.fetch('/viewstream/metadata/show?format=json');
    const { state, durationSeconds } = (await view.json()) as {
      state: string;
      durationSeconds: number;
    };
    return state === 'ended' && durationSeconds > 7.9;
  });
}

test('a viewer marks a clip to the frame, shares it, and saves it as a file that the browser plays', {
  skip: withoutChromium(),
}, async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const system = await startTestSystem(t);
  await recording(system);
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 } });
  const key = `sessionStorage.setItem('rivulet-owner-key', '${system.ownerKey}')`;
  await context.addInitScript({ content: key });
  const open = async (path: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(new URL(path, system.url).href);
    await waitFor('a picture', () => inVideo(page, ({ readyState }) => readyState >= 2));
    return page;
  };

  const page = await open('/watch/show');
  const lengthOf = () => page.locator('.clip-status').innerText();
  const markAt = async (position: number, key: string): Promise<void> => {
    await inVideo(
      page,
      (video, at) => {
        video.pause();
        video.currentTime = at;
      },
      position + FRAME / 2,
    );
    await waitFor('the frame', () => inVideo(page, ({ readyState }) => readyState >= 2));
    await waitFor(`a mark of ${position}`, async () => {
      await page.keyboard.press(key);
      const marked = await page
        .locator(key === 'i' ? '.clip-in output' : '.clip-out output')
        .innerText();
      return marked === `0:0${position.toFixed(2)}`;
    });
  };
  await markAt(1.5, 'i');
  // The frame on the screen is the last one of the clip.
  await inVideo(
    page,
    (video, at) => {
      video.currentTime = at;
    },
    4.5 + FRAME / 2,
  );
  await waitFor('both marks', async () => {
    await page.keyboard.press('o');
    return (await lengthOf()) === 'Length: 0:03.03';
  });
  await page.locator('.clip-out .clip-earlier').click();
  assert.equal(await lengthOf(), 'Length: 0:03.00');
  assert.ok(await page.locator('.clip-range').isVisible());

  await page.getByRole('button', { name: 'Play the clip' }).click();
  await waitFor('the end of the clip', async () => {
    const [at, isPaused] = [await timeOf(page), await inVideo(page, ({ paused }) => paused)];
    return isPaused && Math.abs(at - 4.5) < 0.15;
  });

  const shared = await page.locator('.clip-link input').inputValue();
  const viewer = await open(shared);
  assert.ok((await timeOf(viewer)) >= 1.49, 'it begins with the clip');
  await viewer.getByText('End of the clip').filter({ visible: true }).waitFor();
  assert.ok(await inVideo(viewer, ({ paused }) => paused));
  await viewer.getByRole('button', { name: 'Watch again' }).click();
  await viewer.locator('.clip-over').waitFor({ state: 'hidden' });
  await viewer.close();

  await page.getByRole('button', { name: 'Keep this clip' }).click();
  await page.getByText('The clip is kept.').waitFor();
  const { clips } = (await (await system.fetch('/clips/show', { key: null })).json()) as {
    clips: readonly { from: string; to: string }[];
  };
  assert.deepEqual(
    clips.map(({ from, to }) => Date.parse(to) - Date.parse(from)),
    [3000],
  );

  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as a file' }).click();
  const download = await saving;
  assert.match(download.suggestedFilename(), /^show-.*-180p\.mp4$/);
  const path = await download.path();
  const [video, audio] = await probe(path);
  assert.equal(video?.nb_read_frames, '90');
  assert.equal(Number(audio?.duration), 3);

  const player = await context.newPage();
  const file = `data:video/mp4;base64,${(await readFile(path)).toString('base64')}`;
  await player.setContent(`<video src="${file}" muted></video>`);
  await inVideo(player, (element) => void (element as unknown as { play(): void }).play());
  await waitFor('the end of the file', () =>
    inVideo(player, (element) => (element as unknown as { ended: boolean }).ended),
  );
  assert.ok(Math.abs((await timeOf(player)) - 3) < 0.03);
});
