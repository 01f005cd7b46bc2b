import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { withoutChromium } from '../support/chromium.ts';
import {
  type FakeStream,
  type FakeStreamServer,
  fakeStream,
  OWNER_KEY,
  publishEachSecond,
} from './fake-stream-server.ts';
import { type ServedPages, servePages } from './served-pages.ts';
import { openWatchPage, until, type WatchPage } from './watch-page-driver.ts';

// Side by side: they mostly wait for seconds of media to pass.
describe('the watch page', { skip: withoutChromium(), concurrency: 2 }, () => {
  let served: ServedPages;
  let server: FakeStreamServer;
  let browser: Browser;

  before(async () => {
    served = await servePages();
    ({ server, browser } = served);
  });
  after(() => served?.close());

  async function open(
    t: TestContext,
    hash: string,
    options?: Parameters<typeof openWatchPage>[2],
  ): Promise<WatchPage> {
    const viewer = await openWatchPage(browser, `${server.url}/${hash}`, options);
    t.after(viewer.close);
    return viewer;
  }
  const watch = (t: TestContext, videoId: string): Promise<WatchPage> =>
    open(t, `watch/${videoId}`);

  function publish(t: TestContext, videoId: string, change: Partial<FakeStream>): FakeStream {
    const stream = fakeStream(change);
    server.streams.set(videoId, stream);
    t.after(publishEachSecond(stream));
    return stream;
  }

  test('watch page: a key in the link shows the owner all streams, and leaves the address', async (t) => {
    server.streams.set('talk', fakeStream({ title: 'A talk', state: 'ended', published: 6 }));
    server.streams.set('match', fakeStream({ title: 'A match', published: 6 }));
    const { page, problems } = await open(t, `#key=${OWNER_KEY}`);
    await page.locator('.card').first().waitFor();
    const titles = await page.locator('.card-title').allTextContents();
    assert.deepEqual(
      titles.filter((title) => title !== 'A stream'),
      ['A match', 'A talk'],
    );
    assert.equal(page.url(), `${server.url}/`);
    await page.locator('.forget-key').click();
    await page.locator('.for-owner').click();
    await page.locator('#owner-key').fill('a wrong key');
    await page.locator('.key-form button[type="submit"]').click();
    await page.getByText('does not accept that key').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#video-id').fill('talk');
    await page.locator('.open-stream button').click();
    await page.getByRole('heading', { name: 'A talk' }).waitFor();
    assert.deepEqual(problems, []);
  });

  test('watch page: it plays live, switches rung and audio, rewinds, and returns to live', async (t) => {
    publish(t, 'live', { published: 45, windowSegments: 40 });
    const viewer = await watch(t, 'live');
    await viewer.reaches('live');
    await viewer.plays();
    assert.ok(viewer.page.workers().length > 0, 'hls.js works beside the page');
    await until('the latency is small', async () => {
      const seconds = Number(await viewer.fact('delay'));
      return seconds > 0 && seconds < 8;
    });
    assert.match(await viewer.page.locator('.delay').innerText(), /^\d+ s behind live$/);

    for (const level of ['180p', '360p']) {
      await viewer.choose('quality', level);
      await until(`${level} is on the screen`, async () => (await viewer.fact('level')) === level);
    }
    await viewer.choose('quality', 'Auto');
    await until('the level is automatic', async () =>
      /^Auto \(\d+p\)$/.test(await viewer.chosen('quality')),
    );
    await viewer.choose('audio', 'Deutsch');
    await until('the audio is chosen', async () => (await viewer.chosen('audio')) === 'Deutsch');

    await viewer.scrubTo(0.4);
    await viewer.reaches('behind');
    await until('the viewer is far back', async () => Number(await viewer.fact('behind')) > 10);
    await viewer.plays();
    assert.equal(
      await viewer.fact('state'),
      'behind',
      'a viewer who rewound is not pulled back to live',
    );
    // Not so far that a viewer who follows live would be skipped ahead anyway.
    await viewer.scrubTo(0.8);
    await until('the viewer is nearer', async () => Number(await viewer.fact('behind')) < 7);
    assert.equal(await viewer.fact('state'), 'behind');
    await viewer.page.locator('media-live-button').click();
    await viewer.reaches('live');
    await viewer.plays();
    await until(
      'the viewer is at the edge',
      async () => Math.abs(Number(await viewer.fact('behind'))) < 3,
    );
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: a lost connection is shown, and playback resumes by itself', async (t) => {
    const stream = publish(t, 'outage', { published: 20 });
    const viewer = await watch(t, 'outage');
    await viewer.reaches('live');
    await viewer.choose('quality', '180p');
    await until('the rung is chosen', async () => (await viewer.fact('level')) === '180p');
    stream.outOfReach = true;
    await viewer.reaches('reconnecting');
    await viewer.says('The server cannot be reached');
    const before = await viewer.video(({ currentTime }) => currentTime);
    stream.outOfReach = false;
    await until('the message is gone', async () =>
      ['live', 'behind'].includes(await viewer.fact('state')),
    );
    // Beyond what can have been in the buffer.
    await until('playback goes on', () =>
      viewer.video(({ currentTime }) => currentTime).then((now) => now > before + 4),
    );
    assert.equal(await viewer.fact('level'), '180p', 'the choice of a rung outlives the outage');
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: at the end a viewer who rewound keeps the position in the recording, and one at the edge is offered it', async (t) => {
    const stream = fakeStream({ published: 60, windowSegments: 40 });
    server.streams.set('ending', stream);
    const [back, following] = await Promise.all([watch(t, 'ending'), watch(t, 'ending')]);
    await Promise.all([back.reaches('live'), following.reaches('live')]);
    await back.scrubTo(0.3);
    await back.reaches('behind');
    // The window begins at second 20 of the stream; the recording at 0.
    const timeNow = () => back.video(({ currentTime }) => currentTime);
    const readAtMs = performance.now();
    const inWindow = await timeNow();
    stream.state = 'ended';
    await back.reaches('recording');
    await until('the whole recording is there', () =>
      back.video(({ duration }) => duration > 59.5),
    );
    const moved = (await timeNow()) - (inWindow + 20);
    const playedSeconds = (performance.now() - readAtMs) / 1000;
    assert.ok(moved > -1 && moved < playedSeconds + 1, `${moved} s in ${playedSeconds} s`);
    await back.plays();

    await following.reaches('ended');
    await following.page.getByRole('button', { name: 'Watch from the start' }).click();
    await until('it is at the start', () => following.video(({ currentTime }) => currentTime < 5));
    await following.reaches('recording');
    await following.plays();
    assert.deepEqual([...back.problems, ...following.problems], []);
  });

  test('watch page: it waits for a stream to start, and says when there is none', async (t) => {
    server.streams.set('later', fakeStream({ state: 'created' }));
    const viewer = await watch(t, 'later');
    await viewer.reaches('waiting');
    await viewer.says('Not started yet');
    publish(t, 'later', { published: 8 });
    await viewer.watches();
    await viewer.plays();
    server.streams.delete('later');
    await viewer.reaches('unknown');
    await viewer.says('removed while you watched');
    await viewer.page.goto(`${server.url}/watch/never`);
    await viewer.says('Nothing is stored under this id');
    assert.deepEqual(viewer.problems, []);
  });

  test('watch page: a recording plays over a gap and a discontinuity to its end, and again', async (t) => {
    const stream = fakeStream({
      state: 'ended',
      published: 8,
      gaps: new Set([3]),
      discontinuityAt: 5,
    });
    server.streams.set('gaps', stream);
    const viewer = await watch(t, 'gaps');
    await viewer.reaches('recording');
    await viewer.reaches('ended');
    assert.ok((await viewer.video(({ currentTime }) => currentTime)) > 7.5);
    const asked = server.requests.filter((request) => request.startsWith('/media/gaps/360p/'));
    assert.ok(!asked.includes('/media/gaps/360p/3.m4s'), 'a gap is not requested');
    await viewer.page.getByRole('button', { name: 'Watch again' }).click();
    await viewer.plays();
    assert.deepEqual(viewer.problems, []);
  });

  const ENDING_GAPS: readonly [string, Partial<FakeStream>][] = [
    ['nothing', { gaps: new Set([8, 9]) }],
    ['a picture without audio', { audioGaps: new Set([9]) }],
    ['a run behind one whose sound was cut off', { shortAudio: 4, discontinuityAt: 5 }],
  ];
  for (const [what, gaps] of ENDING_GAPS) {
    test(`watch page: a stream that ends with ${what} has an end, watched live and again`, async (t) => {
      const id = `ends-with-${what.replaceAll(' ', '-')}`;
      const stream = fakeStream({ published: 8, ...gaps });
      server.streams.set(id, stream);
      const viewer = await watch(t, id);
      await viewer.watches();
      stream.published = 10;
      stream.state = 'ended';
      await viewer.reaches('ended');
      const lastFrame = stream.gaps.size > 0 ? 8 : 10;
      const time = await viewer.video(({ currentTime }) => currentTime);
      assert.ok(Math.abs(time - lastFrame) < 0.1, `${time} of ${lastFrame}`);
      await viewer.page.getByRole('button', { name: 'Watch from the start' }).click();
      await viewer.reaches('recording');
      await viewer.plays();
      await viewer.scrubTo(0.85);
      await viewer.reaches('ended');
      assert.deepEqual(viewer.problems, []);
    });
  }

  test('watch page: corrupt media is retried, then reported, and plays once it is repaired', async (t) => {
    const stream = fakeStream({ state: 'ended', published: 10, corrupt: true });
    server.streams.set('broken', stream);
    const viewer = await watch(t, 'broken');
    await viewer.reaches('failed');
    await viewer.says('cannot play');
    stream.corrupt = false;
    await viewer.page.getByRole('button', { name: 'Try again' }).click();
    await viewer.reaches('recording');
    await viewer.plays();
  });

  test('watch page: playback starts muted where audio needs a gesture, and a button unmutes it', async (t) => {
    server.streams.set('quiet', fakeStream({ state: 'ended', published: 20 }));
    const viewer = await open(t, 'watch/quiet', { audioNeedsGesture: true });
    await viewer.reaches('recording');
    await viewer.plays();
    assert.equal(await viewer.video(({ muted }) => muted), true);
    await viewer.page.getByRole('button', { name: 'Tap for sound' }).click();
    await viewer.plays();
    assert.equal(await viewer.video(({ muted }) => muted), false);
    await viewer.page.keyboard.press('k');
    await until('a key pauses', () => viewer.video(({ paused }) => paused));
    assert.deepEqual(viewer.problems, []);
  });
});
