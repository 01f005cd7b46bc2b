import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import {
  appendedMoments,
  appendsOf,
  decodeMoments,
  inTwoLanguages,
  lipSyncOf,
  reorderedVideo,
} from '../support/lip-sync.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';
import { openWebPlayer, type WebPlayerName } from '../support/web-players.ts';

const RATE = '25';
const SECONDS = 10;
const TOLERANCE_MS = 10;
const LADDER = [{ name: '180p', shortSidePx: 180, maxrateBps: 300_000 }];
const WAIT_MS = 120_000;
/** Shaka Player stops so much before an end where the sound began before the picture. */
const END_SECONDS = 0.2;

describe('flash and beep are together in each of two languages', () => {
  let system: TestSystem;
  let sourceSync = 0;
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void ends.unshift(end) };

  before(async () => {
    system = await startTestSystem(scope);
    const made = join(await temporaryFolder(scope), 'source.mkv');
    await ffmpeg([...inTwoLanguages(RATE, SECONDS), ...reorderedVideo(RATE), made]);
    const settings = { ladder: LADDER, targetDurationSeconds: 2 };
    await system.fetch('/streams/show', { method: 'PUT', body: JSON.stringify(settings) });
    const hls = ['-f', 'hls', '-hls_time', '2', '-method', 'PUT'];
    const to = `${system.urlWithKey}/upload/show/live.m3u8`;
    await ffmpeg(['-i', made, '-map', '0', '-c', 'copy', ...hls, to]);
    await system.fetch('/upload/show/end', { method: 'POST' });
    await waitFor(
      'the whole stream',
      async () => {
        const answer = await fetch(`${system.url}/viewstream/metadata/show?format=json`);
        const { state, durationSeconds } = (await answer.json()) as Record<string, unknown>;
        return state === 'ended' && durationSeconds === SECONDS;
      },
      WAIT_MS,
    );
    [sourceSync = assert.fail()] = lipSyncOf(await decodeMoments(['-i', made]));
  });
  after(async () => {
    for (const end of ends) await end();
  });

  function assertClose(moments: Parameters<typeof lipSyncOf>[0], count: number): void {
    const errors = lipSyncOf(moments).map((sync) => Math.round((sync - sourceSync) * 1000));
    assert.ok(errors.length >= count, `${errors.length} of ${count} flashes with a beep`);
    assert.ok(Math.max(...errors.map(Math.abs)) <= TOLERANCE_MS, `off by ${errors} ms`);
  }

  const OFFERS = {
    HLS: '/viewstream/metadata/show.m3u8',
    DASH: '/viewstream/metadata/show.mpd',
    'the file of a clip': '/viewstream/show/clip?from=2.2&to=8.8&format=mp4&wait=20',
  };
  for (const [what, path] of Object.entries(OFFERS)) {
    const isClip = path.includes('clip');
    for (const [lang, name] of [
      ['en', 'eng'],
      ['de', 'deu'],
    ] as const) {
      test(`${what} in ffmpeg, ${lang}: each frame once, and the sound of the language`, async () => {
        const address = `${system.url}${path}`;
        const url = await waitFor('the file', async () => {
          const answer = await fetch(address);
          await answer.body?.cancel();
          return answer.status !== 202 && answer.url;
        });
        const track = `0:a:m:language:${isClip ? name : lang}`;
        const decoded = await decodeMoments(['-i', url], undefined, track);
        assert.deepEqual(decoded.warnings, []);
        assert.equal(decoded.frames, isClip ? 165 : 250);
        assert.equal(decoded.language, lang);
        assertClose(decoded, isClip ? 6 : SECONDS);
      });
    }
  }

  const skip = withoutChromium();
  const WATCHED: readonly (readonly [WebPlayerName, keyof typeof OFFERS])[] = [
    ['hls.js', 'HLS'],
    ['Shaka Player', 'HLS'],
    ['Shaka Player', 'DASH'],
    ['dash.js', 'DASH'],
  ];
  test('in hls.js, Shaka Player and dash.js, before and behind a change of the language', {
    skip,
  }, async (t) => {
    const browser = await launchChromium();
    t.after(() => browser.close());
    const watch = async ([name, offer]: (typeof WATCHED)[number]): Promise<void> => {
      const given = { url: `${system.url}${OFFERS[offer]}`, lang: 'en' };
      const player = await openWebPlayer(browser, name, `${system.url}/healthz`, given);
      const passes = (seconds: number) =>
        waitFor(
          `${name}, ${offer}: ${seconds} s`,
          async () => {
            const { time, problems } = await player.state();
            assert.deepEqual(problems, []);
            return time >= seconds;
          },
          WAIT_MS,
        );
      await passes(1);
      // On a busy machine it is further by now.
      const { time } = await player.state();
      await player.setLanguage('de');
      await passes(SECONDS - END_SECONDS);
      const { flashes, beepsOf } = await appendedMoments(await appendsOf(player.page));
      assert.deepEqual([...beepsOf.keys()], ['en', 'de'], `${name}, ${offer}`);
      for (const [lang, beeps] of beepsOf) {
        assertClose({ flashes, beeps }, lang === 'en' ? 1 : Math.floor(SECONDS - time) - 1);
      }
    };
    await Promise.all(WATCHED.map(watch));
  });
});
