/** A system of its own, what it offers to players, and what each of them is to find there. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpeg } from '../support/ffmpeg.ts';
import {
  decodeMoments,
  inTwoLanguages,
  type Language,
  lipSyncOf,
  reorderedVideo,
} from '../support/lip-sync.ts';
import { RATE, SEGMENT_SECONDS } from '../support/segment-files.ts';
import {
  type Scope,
  startTestSystem,
  type TestSystem,
  temporaryFolder,
  waitFor,
} from '../support/system.ts';

/** Of an encoder run, and of the file. */
const RUN_SECONDS = 6;
const FILE_TIMEOUT_MS = 180_000;
const CLIP = { from: '1.2', to: '4.8' };
const CLIP_SECONDS = 3.6;
const LADDER = [180, 90].map((shortSidePx) => ({
  ...{ name: `${shortSidePx}p`, shortSidePx, maxrateBps: 300_000 },
}));
const SUBTITLES = '1\n00:00:01,000 --> 00:00:03,000\nA flash and a beep\n';

/** What players are given. */
export type Offer = Readonly<{
  name: string;
  kind: 'hls' | 'mpd' | 'file';
  url: string;
  lang: Language;
  /** How long it is; undefined: live, and it goes on. */
  seconds?: number;
  /** It goes on behind a discontinuity. */
  hasDiscontinuity?: boolean;
  /** The picture's parameters change on the way. */
  changesPicture?: boolean;
}>;

export type Stage = Readonly<{
  system: TestSystem;
  offers: readonly Offer[];
  /** How much later the flash is than the beep at the source, in seconds. */
  sourceSync: number;
}>;

export async function setStage(t: Scope): Promise<Stage> {
  const system = await startTestSystem(t);
  const folder = await temporaryFolder(t);
  const source = await makeSource(folder);
  await Promise.all(['show', 'film', 'live'].map((id) => createStream(system, id)));
  await pushTwice(system, folder);
  await sendFile(system, source);
  await goLive(t, system);
  const [sourceSync = 0] = lipSyncOf(await decodeMoments(['-i', source]));
  const offers = offersOf(system.url);
  for (const { kind, name, url } of offers) if (kind === 'file') await made(name, url);
  return { system, sourceSync, offers };
}

const encoded = (seconds: number): string[] => [
  ...inTwoLanguages(String(RATE), seconds),
  ...reorderedVideo(String(RATE)),
];

/** Also with subtitles. */
async function makeSource(folder: string): Promise<string> {
  const subtitles = join(folder, 'film.srt');
  const path = join(folder, 'film.mkv');
  const media = join(folder, 'media.mkv');
  await writeFile(subtitles, SUBTITLES);
  await ffmpeg([...encoded(RUN_SECONDS), media]);
  const maps = ['-map', '0', '-map', '1', '-metadata:s:s:0', 'language=eng'];
  await ffmpeg(['-i', media, '-i', subtitles, ...maps, '-c', 'copy', path]);
  return path;
}

async function createStream(system: TestSystem, id: string): Promise<void> {
  const settings = { ladder: LADDER, targetDurationSeconds: SEGMENT_SECONDS };
  const body = JSON.stringify({ ...settings, title: id, dvrWindowSeconds: 60 });
  await accepted(system.fetch(`/streams/${id}`, { method: 'PUT', body }));
}

async function accepted(asked: Promise<Response>): Promise<void> {
  const answer = await asked;
  if (!answer.ok) throw new Error(await answer.text());
}

const push = (system: TestSystem, id: string): string[] => [
  ...['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-method', 'PUT'],
  `${system.urlWithKey}/upload/${id}/live.m3u8`,
];

/** Two encoder runs, with a discontinuity between them, and captions. */
async function pushTwice(system: TestSystem, folder: string): Promise<void> {
  for (const run of [0, 1]) {
    const path = join(folder, `run-${run}.mkv`);
    // Other bytes each time: the same ones would be a repeated upload.
    await ffmpeg([...encoded(RUN_SECONDS), '-crf', String(23 + 5 * run), path]);
    await ffmpeg(['-i', path, '-map', '0', '-c', 'copy', ...push(system, 'show')]);
  }
  const body = JSON.stringify({ cues: [{ from: 1, to: 3, text: 'Ein Blitz' }] });
  await accepted(system.fetch('/upload/show?kind=captions&lang=de', { method: 'POST', body }));
  await accepted(system.fetch('/upload/show/end', { method: 'POST' }));
  await whole(system, 'show', 2 * RUN_SECONDS);
}

async function sendFile(system: TestSystem, path: string): Promise<void> {
  const body = new Uint8Array(await readFile(path));
  const to = '/upload/film?kind=file&name=film.mkv';
  await accepted(system.fetch(to, { method: 'POST', body }));
  await whole(system, 'film', RUN_SECONDS);
}

const whole = (system: TestSystem, id: string, seconds: number): Promise<unknown> =>
  waitFor(`all of ${id}`, async () => {
    const answer = await fetch(`${system.url}/viewstream/metadata/${id}?format=json`);
    const { state, durationSeconds } = (await answer.json()) as Record<string, unknown>;
    return state === 'ended' && Math.abs(Number(durationSeconds) - seconds) < 0.1;
  });

/** Players do not ask again while a job makes a file. */
const made = (name: string, url: string): Promise<unknown> =>
  waitFor(
    name,
    async () => {
      const answer = await fetch(url);
      await answer.body?.cancel();
      return answer.status !== 202;
    },
    FILE_TIMEOUT_MS,
  );

/** Goes on until the scope ends. */
async function goLive(t: Scope, system: TestSystem): Promise<void> {
  const source = encoded(3600).flatMap((text) => (text === 'lavfi' ? [text, '-re'] : [text]));
  const args = [...source, '-tune', 'zerolatency', ...push(system, 'live')];
  const encoder: ChildProcess = spawn('ffmpeg', ['-nostdin', '-v', 'error', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const over = once(encoder, 'exit');
  t.after(async () => {
    encoder.kill('SIGKILL');
    await over;
  });
  await waitFor('live segments', async () => {
    const answer = await fetch(`${system.url}/viewstream/metadata/live/180p.m3u8`);
    return (await answer.text()).split('#EXTINF').length > 4;
  });
}

function offersOf(url: string): Offer[] {
  const playlist = (id: string) => `${url}/viewstream/metadata/${id}`;
  const recordings: Offer[] = (['en', 'de'] as const).flatMap((lang): Offer[] => [
    {
      name: `HLS recording, ${lang}`,
      kind: 'hls',
      url: `${playlist('film')}.m3u8`,
      lang,
      seconds: RUN_SECONDS,
    },
    {
      ...{ name: `HLS recording with a discontinuity, ${lang}`, kind: 'hls', lang },
      ...{ url: `${playlist('show')}.m3u8`, seconds: 2 * RUN_SECONDS, hasDiscontinuity: true },
    },
    {
      name: `MPD recording, ${lang}`,
      kind: 'mpd',
      url: `${playlist('film')}.mpd`,
      lang,
      seconds: RUN_SECONDS,
    },
  ]);
  const segments = ['mp4', 'mov', 'ts', 'webm'].flatMap((format) =>
    (['en', 'de'] as const).map((lang): Offer => {
      const query = new URLSearchParams({
        timestamp: '3',
        format,
        lang,
        resolution: '180p',
        wait: '20',
      });
      const address = `${url}/viewstream/show?${query}`;
      return {
        name: `segment as ${format}, ${lang}`,
        kind: 'file',
        url: address,
        lang,
        seconds: SEGMENT_SECONDS,
      };
    }),
  );
  const clip = `${url}/viewstream/film/clip`;
  const span = new URLSearchParams(CLIP);
  return [
    { name: 'HLS live', kind: 'hls', url: `${playlist('live')}.m3u8`, lang: 'en' },
    { name: 'MPD live', kind: 'mpd', url: `${playlist('live')}.mpd`, lang: 'en' },
    ...recordings,
    {
      ...{ name: 'MPD recording with a discontinuity', kind: 'mpd', lang: 'en' },
      ...{ url: `${playlist('show')}.mpd`, seconds: 2 * RUN_SECONDS, hasDiscontinuity: true },
    },
    ...segments,
    {
      name: 'clip, playlist',
      kind: 'hls',
      url: `${clip}?${span}`,
      lang: 'en',
      seconds: RUN_SECONDS,
    },
    {
      ...{ name: 'clip, mp4', kind: 'file', lang: 'en', seconds: CLIP_SECONDS },
      ...{ url: `${clip}?${span}&format=mp4&wait=20`, changesPicture: true },
    },
    {
      ...{ name: 'whole recording, mp4', kind: 'file', lang: 'en', seconds: 2 * RUN_SECONDS },
      ...{ url: `${url}/viewstream/show/clip?format=mp4&wait=20`, changesPicture: true },
    },
  ];
}
