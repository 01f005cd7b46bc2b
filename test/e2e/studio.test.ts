import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { startTestSystem, waitFor } from '../support/system.ts';

const LADDER = [{ name: '180p', shortSidePx: 180, maxrateBps: 250_000 }];

test('a host goes live from a browser, a viewer watches it in another page, and the recording is there at once', {
  skip: withoutChromium(),
}, async (t) => {
  const browser = await launchChromium([
    '--use-fake-device-for-media-stream=fps=20',
    '--use-fake-ui-for-media-stream',
  ]);
  t.after(() => browser.close());
  const system = await startTestSystem(t);
  const created = await system.fetch('/streams/show', {
    method: 'PUT',
    body: JSON.stringify({ title: 'The show', ladder: LADDER, targetDurationSeconds: 2 }),
  });
  const { uploadKey } = (await created.json()) as { uploadKey: string };
  const context = await browser.newContext({ viewport: { width: 1100, height: 750 } });
  context.setDefaultTimeout(60_000);
  const studio = await context.newPage();
  const problems: string[] = [];
  studio.on('pageerror', (error) => problems.push(String(error)));
  await studio.goto(`${system.url}/studio#stream=show&key=${uploadKey}`);
  await studio.locator('.studio-room').waitFor();
  assert.equal(await studio.locator('#title').inputValue(), 'The show');
  await studio.locator('#quality').selectOption('360p');
  await studio.locator('.screen-and-camera[data-layout="camera"]').waitFor();
  await studio.locator('.go-live').click();
  await studio.locator('.studio[data-state="live"]').waitFor();

  const viewer = await context.newPage();
  await viewer.goto(await studio.locator('#link').inputValue());
  const view = viewer.locator('section.watch');
  await waitFor('the broadcast in the player', async () =>
    /^(live|behind)$/.test((await view.getAttribute('data-state')) ?? ''),
  );
  const timeNow = (): Promise<number> =>
    viewer.locator('video').evaluate((video) => (video as unknown as Video).currentTime);
  const startTime = await timeNow();
  await waitFor('playback to advance', async () => (await timeNow()) > startTime + 1);
  const shown = await viewer.locator('video').evaluate((video) => {
    const { videoHeight, webkitAudioDecodedByteCount } = video as unknown as Video;
    return { videoHeight, hasSound: webkitAudioDecodedByteCount > 0 };
  });
  assert.deepEqual(shown, { videoHeight: 180, hasSound: true });

  await studio.locator('.stop-live').click();
  await studio.locator('.end-now').click();
  await studio.locator('.studio[data-state="ended"]').waitFor();
  await studio.locator('.recording').click();
  await waitFor('the recording', async () => {
    const state = await studio.locator('section.watch').getAttribute('data-state');
    return state === 'recording';
  });
  assert.deepEqual(problems, []);
});

type Video = Readonly<{
  currentTime: number;
  videoHeight: number;
  webkitAudioDecodedByteCount: number;
}>;

test('a page of another site can neither show the studio in a frame nor send with a key that it keeps', {
  skip: withoutChromium(),
}, async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const system = await startTestSystem(t);
  const context = await browser.newContext();
  const home = await context.newPage();
  await home.goto(`${system.url}/studio`);
  await home.evaluate(`sessionStorage.setItem('rivulet-studio', '{"videoId":"show","key":"k"}')`);

  const foreign = await context.newPage();
  await foreign.route('http://foreign.test/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<iframe src="${system.url}/studio"></iframe>`,
    }),
  );
  await foreign.goto('http://foreign.test/');
  await waitFor('the refusal of the frame', async () =>
    foreign.frames()[1]?.url().startsWith('chrome-error:'),
  );
  const status = await foreign.evaluate(
    `fetch('${system.url}/upload/show/end', { method: 'POST', credentials: 'include' }).then(({ status }) => status, () => 0)`,
  );
  assert.ok(status === 401 || status === 0, String(status));
});
