import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import {
  type DashPlayer,
  type OpenPlayer,
  openPlayer,
  type Shown,
  servePlayers,
} from '../support/dash-players.ts';
import { probe } from '../support/ffmpeg.ts';
import { makeSegments } from '../support/media.ts';
import { readMpd } from '../support/mpd-judge.ts';
import { seconds } from '../support/mpd-rules.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const ENCODER = fileURLToPath(new URL('../../bin/encoder.ts', import.meta.url));
const LADDER = [
  { name: '180p', shortSidePx: 180, maxrateBps: 300_000 },
  { name: '90p', shortSidePx: 90, maxrateBps: 100_000 },
];
const PLAYERS: readonly DashPlayer[] = ['shaka', 'dashjs'];
/** Of the first encoder run, before that of the live encoder. */
const FIRST_SECONDS = 6;
/** Of both encoders. */
const FRAME_TICKS = 3000;

const mpdOf = async (system: TestSystem, query = '') =>
  readMpd(await (await fetch(`${system.url}/viewstream/metadata/show.mpd${query}`)).text());

test('Shaka Player and dash.js play DASH live with captions and thumbnails, back, over a discontinuity and to the end, and ffmpeg the recording', {
  skip: withoutChromium(),
}, async (t) => {
  const { segments } = await makeSegments({ seconds: FIRST_SECONDS, languages: ['eng', 'fra'] });
  const browser = await launchChromium();
  t.after(() => browser.close());
  const pages = await servePlayers(t);
  const system = await startTestSystem(t);
  const settings = { ladder: LADDER, targetDurationSeconds: 2 };
  await system.fetch('/streams/show', { method: 'PUT', body: JSON.stringify(settings) });
  const firstMs = Date.now() - (FIRST_SECONDS + 1) * 1000;
  for (const [number, { bytes }] of segments.entries()) {
    const at = new Date(firstMs + number * 2000).toISOString();
    const query = `session=first&segment=${number}&at=${at}`;
    const body = new Uint8Array(bytes);
    const answer = await system.fetch(`/upload/show?${query}`, { method: 'POST', body });
    assert.equal(answer.status, 201, await answer.clone().text());
  }
  const marker = { class: 'goal', start: new Date(firstMs + 3000), end: new Date(firstMs + 4000) };
  await system.fetch('/markers/show', { method: 'POST', body: JSON.stringify(marker) });
  await sendCue(system, firstMs, 'first');
  const encoder = await startEncoder(t, system);
  // dash.js does not begin in the pause between the two runs.
  await waitFor('a live edge in the second run', async () => {
    const { attributes, periods } = (await mpdOf(system).catch(() => undefined)) ?? {};
    const { availabilityStartTime = '', suggestedPresentationDelay } = attributes ?? {};
    const nowSeconds = (Date.now() - Date.parse(availabilityStartTime)) / 1000;
    const start = periods?.[1]?.startSeconds;
    return start !== undefined && nowSeconds - seconds(suggestedPresentationDelay) > start + 1;
  });

  const mpd = `${system.url}/viewstream/metadata/show.mpd`;
  const players = await Promise.all(
    PLAYERS.map(async (name) => ({ name, player: await openPlayer(browser, pages, name, mpd) })),
  );
  await Promise.all(players.map((watched) => watchLive(system, watched)));
  const isOver = once(encoder, 'exit');
  encoder.kill('SIGINT');
  await isOver;
  await Promise.all(players.map(watchEnd));

  const { periods: recorded } = await mpdOf(system, '?view=vod');
  assert.deepEqual(
    recorded.map(({ startSeconds, sets }) => [startSeconds, sets.length]),
    [
      [0, 5],
      [FIRST_SECONDS, 5],
    ],
  );
  // ffmpeg plays one period, the longest.
  const listed = recorded[1]?.sets[0]?.representations[0]?.segments ?? [];
  const ticks = listed.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
  // It stops at the last sample of any track that it is told to read, and those of captions are long.
  const onlyVideo = ['-select_streams', 'v:0', '-count_packets'];
  const [played] = await probe(`${mpd}?view=vod`, onlyVideo);
  assert.equal(Number(played?.nb_read_packets), ticks / FRAME_TICKS);
});

/** A German one, from an instant on for four seconds. */
async function sendCue(system: TestSystem, fromMs: number, text: string): Promise<void> {
  const [from, to] = [fromMs, fromMs + 4000].map((ms) => new Date(ms));
  const body = JSON.stringify({ cues: [{ from, to, text }] });
  const answer = await system.fetch('/upload/show?kind=captions&lang=de', { method: 'POST', body });
  assert.ok(answer.ok, await answer.text());
}

async function startEncoder(t: TestContext, system: TestSystem) {
  const spool = await temporaryFolder(t);
  const args = ['testsrc', '--to', system.url, '--stream', 'show', '--spool', spool, '--quiet'];
  const encoder = spawn(process.execPath, [ENCODER, ...args, '--size', '320x180'], {
    env: { ...process.env, RIVULET_KEY: system.ownerKey },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  t.after(() => encoder.kill('SIGKILL'));
  return encoder;
}

type Watched = Readonly<{ name: string; player: OpenPlayer }>;

async function becomes(
  { name, player }: Watched,
  what: string,
  isSo: (shown: Shown) => boolean,
): Promise<Shown> {
  let shown: Shown | undefined;
  const ask = async () => {
    shown = await player.shown();
    return isSo(shown) ? shown : undefined;
  };
  return waitFor(`${name}: ${what}`, ask).catch((cause) => {
    throw new Error(`${cause.message}; it showed ${JSON.stringify(shown)}`, { cause });
  });
}

async function watchLive(system: TestSystem, watched: Watched): Promise<void> {
  const { player } = watched;
  const live = await becomes(watched, 'live', ({ time, isLive }) => isLive && time > 0);
  await becomes(watched, 'live playback', ({ time }) => time > live.time + 1);
  const { time } = await becomes(
    watched,
    'both languages, at the encoder that is live',
    ({ languages, time }) =>
      languages.length === 2 && languages.includes('fr') && time > FIRST_SECONDS + 2,
  );
  await player.setLanguage('fr');
  await becomes(watched, 'the other language', (shown) => shown.time > time + 0.5);
  await player.showCaptions();
  // Of what is listed already.
  const late = `late for ${watched.name}`;
  await sendCue(system, Date.now() - 5000, late);
  await becomes(watched, 'a cue that came late', ({ cues }) => cues.includes(late));
  await player.seek(live.start + 0.5);
  await becomes(watched, 'the first run', (shown) => shown.time > 1 && shown.time < FIRST_SECONDS);
  const thumbnail = () => player.thumbnail(live.start + 0.5);
  assert.deepEqual(await waitFor(`a thumbnail in ${watched.name}`, thumbnail), {
    ...{ x: 0, width: 240, height: 134, spriteWidth: 240 },
  });
}

async function watchEnd(watched: Watched): Promise<void> {
  await watched.player.setRate(2);
  await becomes(watched, 'the marker', ({ events }) => events.includes('urn:rivulet:marker goal'));
  await becomes(watched, 'the run behind it', ({ time }) => time > FIRST_SECONDS + 2);
  const { problems } = await becomes(watched, 'the end', ({ ended, isLive }) => ended && !isLive);
  assert.deepEqual(problems, []);
}
