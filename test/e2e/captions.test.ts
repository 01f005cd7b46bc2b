import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { makeSegments } from '../support/media.ts';
import { type Scope, startTestSystem, type TestSystem, waitFor } from '../support/system.ts';

const FRAME = 1 / 30;

/** Frames of each run whose picture is white, and its cue. */
const WHITE = { from: 45, to: 75 };

/** Of the encoder's clock: hours, and a wrap of 33 bits in the second segment. */
const OFFSETS_SECONDS = [3 * 3600 + 0.5, 2 ** 33 / 90_000 - 2.5];

/** Its four seconds are a run of the encoder: in the middle one second is white. */
async function uploadRun(system: TestSystem, run: number): Promise<void> {
  const filter = `drawbox=c=white:t=fill:enable='between(n,${WHITE.from},${WHITE.to - 1})'`;
  const offsetSeconds = OFFSETS_SECONDS[run] ?? 0;
  const { segments } = await makeSegments({ seconds: 4, filter, offsetSeconds, audio: 'none' });
  for (const [number, { bytes }] of segments.entries()) {
    const path = `/upload/show?segment=${number}&session=run-${run}`;
    const answer = await system.fetch(path, { method: 'POST', body: Buffer.from(bytes) });
    assert.equal(answer.status, 201, await answer.text());
  }
}

const LIBRARIES: Readonly<Record<string, string>> = {
  '/hls.js': '../../node_modules/hls.js/dist/hls.js',
  '/shaka.js': '../../node_modules/shaka-player/dist/shaka-player.compiled.js',
  '/dashjs.js': '../../node_modules/dashjs/dist/modern/umd/dash.mediaplayer.min.js',
};

/** A page with all players, of another origin than the stream, as a stranger's would be. */
async function servePlayers(t: Scope): Promise<string> {
  const server = createServer(async (request, response) => {
    const library = LIBRARIES[request.url ?? ''];
    if (library) {
      response.setHeader('content-type', 'text/javascript');
      response.end(await readFile(fileURLToPath(new URL(library, import.meta.url))));
    } else {
      response.setHeader('content-type', 'text/html');
      response.end(
        '<!doctype html><div><video muted width="320"></video></div><script src="/hls.js"></script><script src="/shaka.js"></script><script src="/dashjs.js"></script>',
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

type Seen = Readonly<{
  frames: readonly Readonly<{ at: number; isWhite: boolean }>[];
  cues: readonly Readonly<{ from: number; to: number; text: string }>[];
}>;

type Playing = Readonly<{
  player: 'hls' | 'shaka' | 'dashjs';
  /** When the captions are chosen: before anything is loaded, or when as much is buffered as there will be. */
  choice: 'first' | 'late';
  address: string;
}>;

/** Plays it to the end; what was on the screen with each frame, and which cues the player has. */
async function play(page: Page, playing: Playing): Promise<Seen> {
  await page.reload();
  return page.evaluate(`(${PLAY})(${JSON.stringify(playing)})`) as Promise<Seen>;
}

/**
 * Runs in the page, whose types are not loaded here. Shaka (5.2) is used as its own controls use it: its native texts
 * lose what arrives before it says that it has loaded. And it places captions of HLS by the segment of video that it
 * appends next, so it never shows those that are chosen when it has all of the video. "late" is therefore with
 * a part of it, as in the middle of anything that is longer than the buffer. With an MPD it may drop its first
 * request for captions that are chosen before it shows anything, and then waits for ever to place what the second one
 * brings.
 */
const PLAY = `async ({ player, choice, address }) => {
  const video = document.querySelector('video');
  const isLate = choice === 'late';
  // Players forget the cues of what is behind, and dash.js makes one longer that goes on.
  const cues = new Map();
  const see = ({ startTime, endTime, text }) =>
    cues.set([startTime, text].join(), { from: startTime, to: endTime, text });
  const isBuffered = async () => {
    while (!(video.readyState === 4 && video.buffered.length > 0 && video.buffered.end(0) > 7.9)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  if (player === 'hls') {
    const hls = new Hls({ enableWorker: false });
    hls.loadSource(address);
    hls.attachMedia(video);
    await new Promise((resolve) => hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, resolve));
    if (isLate) await isBuffered();
    hls.subtitleTrack = 0;
    hls.subtitleDisplay = true;
  } else if (player === 'dashjs') {
    const shown = dashjs.MediaPlayer().create();
    const areThere = new Promise((resolve) =>
      shown.on(dashjs.MediaPlayer.events.TEXT_TRACKS_ADDED, resolve));
    shown.initialize(video, address, false);
    await areThere;
    if (isLate) await isBuffered();
    shown.setTextTrack(0);
  } else {
    const shown = new shaka.Player();
    await shown.attach(video);
    shown.setVideoContainer(document.querySelector('div'));
    const textOf = ({ payload, nestedCues }) => payload + nestedCues.map(textOf).join('');
    shown.configure('mediaSource.modifyCueCallback', (cue) =>
      see({ startTime: cue.startTime, endTime: cue.endTime, text: textOf(cue) }));
    if (isLate) shown.configure('streaming.bufferingGoal', 1);
    else shown.configure('preferredText', [{ language: 'de' }]);
    await shown.load(address);
    if (isLate) {
      while (video.readyState < 4) await new Promise((resolve) => setTimeout(resolve, 20));
      shown.selectTextTrack(shown.getTextTracks()[0]);
    }
  }
  const frames = [];
  const context = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true });
  const watch = (now, { mediaTime }) => {
    for (const { cues } of video.textTracks) for (const cue of cues ?? []) see(cue);
    context.drawImage(video, 0, 0, 8, 8);
    const { data } = context.getImageData(0, 0, 8, 8);
    let darkest = 255;
    for (let at = 0; at < data.length; at += 4) darkest = Math.min(darkest, data[at], data[at + 1]);
    frames.push({ at: mediaTime, isWhite: darkest > 200 });
    video.requestVideoFrameCallback(watch);
  };
  video.requestVideoFrameCallback(watch);
  await video.play();
  await new Promise((resolve, reject) => {
    video.addEventListener('ended', resolve);
    video.addEventListener('error', () => reject(new Error(video.error.message)));
  });
  return { frames, cues: [...cues.values()] };
}`;

/** A cue is in parts where segments of DASH, or periods, end. */
function joined(cues: Seen['cues']): Seen['cues'] {
  const whole: Seen['cues'][number][] = [];
  for (const cue of cues.toSorted((a, b) => a.from - b.from)) {
    const at = whole.findIndex(
      ({ to, text }) => text === cue.text && Math.abs(to - cue.from) < 0.001,
    );
    const before = whole[at];
    if (before) whole[at] = { ...before, to: cue.to };
    else whole.push(cue);
  }
  return whole;
}

/** Whether the pictures say that a cue is at its frames, give or take one. */
function assertInStep({ frames, cues }: Seen): void {
  const whites = cues.filter(({ text }) => text.startsWith('white'));
  assert.deepEqual(
    whites.map(({ text }) => text),
    ['white 0', 'white 1'],
  );
  const isNear = (at: number): boolean =>
    whites.some(({ from, to }) => Math.min(Math.abs(at - from), Math.abs(at - to)) < 1.1 * FRAME);
  const clear = frames.filter(({ at }) => !isNear(at));
  const wrong = clear.filter(
    ({ at, isWhite }) => isWhite !== whites.some(({ from, to }) => from <= at && at < to),
  );
  assert.deepEqual(wrong, []);
  // Frames are dropped on a busy machine; of each white second some are seen.
  for (const { from, to } of whites) {
    assert.ok(clear.some(({ at, isWhite }) => isWhite && from <= at && at < to));
  }
}

test('captions are shown at their frames by hls.js, Shaka Player and dash.js: after hours, over a wrap and a discontinuity', {
  skip: withoutChromium(),
}, async (t) => {
  const system = await startTestSystem(t);
  const send = async (path: string, init: RequestInit): Promise<unknown> => {
    const answer = await system.fetch(path, init);
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return text === '' ? undefined : JSON.parse(text);
  };
  await send('/streams/show', {
    method: 'PUT',
    body: JSON.stringify({
      ladder: [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }],
      targetDurationSeconds: 2,
    }),
  });
  const sendCues = (cues: unknown) =>
    send('/upload/show?kind=captions&lang=de', { method: 'POST', body: JSON.stringify({ cues }) });
  const whiteCue = (run: number) => ({
    from: 4 * run + WHITE.from * FRAME,
    to: 4 * run + WHITE.to * FRAME,
    text: `white ${run}`,
  });
  // Before the first segment, over a boundary of segments, and over the discontinuity.
  await sendCues([whiteCue(0), { from: 3.5, to: 4.5, text: 'over' }]);
  await uploadRun(system, 0);
  await uploadRun(system, 1);
  await send('/upload/show/end', { method: 'POST' });
  await waitFor('the end', async () => {
    const state = await send('/viewstream/metadata/show?format=json', {});
    return (state as { state: string }).state === 'ended';
  });
  // After the event.
  await sendCues([whiteCue(1)]);
  await waitFor('the recording with both', async () => {
    const text = await (await fetch(`${system.url}/viewstream/captions/show/de.vtt`)).text();
    return text.includes('white 1');
  });
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(await servePlayers(t));
  for (const [player, file, choice] of [
    ['hls', 'show.m3u8', 'first'],
    ['hls', 'show.m3u8', 'late'],
    ['shaka', 'show.m3u8', 'first'],
    ['shaka', 'show.m3u8', 'late'],
    ['shaka', 'show.mpd?view=vod', 'late'],
    ['dashjs', 'show.mpd?view=vod', 'first'],
    ['dashjs', 'show.mpd?view=vod', 'late'],
  ] as const) {
    await t.test(`${player} with ${file}, chosen ${choice}`, async () => {
      const address = `${system.url}/viewstream/metadata/${file}`;
      const { frames, cues } = await play(page, { player, choice, address });
      const seen = { frames, cues: joined(cues) };
      assertInStep(seen);
      const over = seen.cues.filter(({ text }) => text === 'over');
      assert.deepEqual(
        over.map(({ from, to }) => [Math.round(10 * from), Math.round(10 * to)]),
        [[35, 45]],
      );
    });
  }
});
