import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseThumbnails, thumbnailAt } from '../../web/watch/thumbnail-index.ts';
import { withoutChromium } from '../support/chromium.ts';
import { fakeStream, publishEachSecond } from './fake-stream-server.ts';
import { type ServedPages, servePages } from './served-pages.ts';
import { openWatchPage, until } from './watch-page-driver.ts';

const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

const INDEX = `WEBVTT

2026-01-01T00:00:00.000Z
00:00:00.000 --> 00:00:02.000
/media/show/u1/thumbnails/0.jpg#xywh=0,0,240,134

2026-01-01T00:00:02.000Z
00:00:02.000 --> 00:00:03.500
/media/show/u1/thumbnails/0.jpg#xywh=240,0,240,134

2026-01-01T01:00:00.000Z
00:00:03.500 --> 00:00:05.500
/media/show/u1/thumbnails/1.jpg#xywh=0,0,240,134

`;

test('preview thumbnails: the one of an instant is found by the wall clock, over a pause, too', () => {
  const thumbnails = parseThumbnails(INDEX);
  assert.deepEqual(thumbnails[1], {
    startMs: START_MS + 2000,
    endMs: START_MS + 3500,
    url: '/media/show/u1/thumbnails/0.jpg',
    ...{ left: 240, top: 0, width: 240, height: 134 },
  });
  const indexAt = (ms: number) => {
    const found = thumbnailAt(thumbnails, START_MS + ms);
    return found && thumbnails.indexOf(found);
  };
  const hour = 3_600_000;
  assert.deepEqual([0, 1999, 2000, 3499, hour, hour + 1999].map(indexAt), [0, 0, 1, 1, 2, 2]);
  assert.deepEqual([-1, 3500, hour - 1, hour + 2000].map(indexAt), Array(4).fill(undefined));
});

test('preview thumbnails: what is no cue of ours is passed over', () => {
  assert.deepEqual(parseThumbnails(''), []);
  assert.deepEqual(parseThumbnails('WEBVTT\n\n00:00.000 --> 00:02.000\n/a.jpg#xywh=0,0,1,1\n'), []);
  const quoted = '2026-01-01T00:00:00Z\n0:0 --> 0:1\n/a")b.jpg#xywh=0,0,1,1\n';
  assert.deepEqual(parseThumbnails(`WEBVTT\n\n${quoted}`), []);
});

describe('while a viewer looks for a moment', { skip: withoutChromium() }, () => {
  let served: ServedPages;
  before(async () => {
    served = await servePages();
  });
  after(() => served?.close());

  test('the player shows its picture: of a window of a live stream, of a recording, in the embedded player', async (t) => {
    const { server, browser } = served;
    const change = { published: 100, hasThumbnails: true } as const;
    const live = fakeStream({ ...change, windowSegments: 60 });
    t.after(publishEachSecond(live));
    server.streams.set('live', live);
    server.streams.set('ended', fakeStream({ ...change, state: 'ended' }));
    for (const [path, state] of [
      ['watch/live', 'live'],
      ['embed/ended', 'recording'],
    ] as const) {
      const viewer = await openWatchPage(browser, `${server.url}/${path}`);
      t.after(viewer.close);
      // A slow machine plays behind the edge.
      await viewer.watches();
      const { page } = viewer;
      await page.locator('.player').hover();
      const box = (await page.locator('media-time-range').boundingBox()) ?? assert.fail();
      await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
      const picture = page.locator('.preview-picture');
      await picture.waitFor({ state: 'visible' });
      assert.equal((await picture.boundingBox())?.width, 160, path);
      const shown = await picture.evaluate((element) => {
        const { backgroundImage, backgroundPosition } = (element as unknown as Styled).style;
        return { backgroundImage, backgroundPosition };
      });
      const image = Number(shown.backgroundImage.match(/thumbnails\/(\d+)\.svg"/)?.[1]);
      const place = -Number.parseInt(shown.backgroundPosition, 10) / 160;
      const second = image * 4 + place;
      // A third of a window of 60 s that slides while the page loads, or of 100 s.
      const [least, most] = state === 'live' ? [55, 150] : [27, 33];
      assert.ok(second >= least && second <= most, `${path}: second ${second}`);
      await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
      await until('the picture is another', async () => {
        const next = await picture.evaluate((element) => {
          const { style } = element as unknown as Styled;
          return style.backgroundImage + style.backgroundPosition;
        });
        return next !== shown.backgroundImage + shown.backgroundPosition;
      });
      assert.deepEqual(viewer.problems, [], path);
    }
  });
});

type Styled = Readonly<{ style: { backgroundImage: string; backgroundPosition: string } }>;
