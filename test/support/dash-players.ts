/** Shaka Player and dash.js in a real browser, on a page of another origin than the streams. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { Scope } from './system.ts';

export type DashPlayer = 'shaka' | 'dashjs';

/** What a player shows; times in seconds of the presentation. */
export type Shown = Readonly<{
  time: number;
  /** Where viewers may seek to. */
  start: number;
  isLive: boolean;
  ended: boolean;
  languages: readonly string[];
  /** Texts of the cues that it has. */
  cues: readonly string[];
  /** Markers that it was told of. */
  events: readonly string[];
  problems: readonly string[];
}>;

/** A preview thumbnail; sizes and places in pixels of the sprite. */
export type ShownThumbnail = Readonly<{
  x: number;
  width: number;
  height: number;
  spriteWidth: number;
}>;

/** In the page: `play(uri)`, `shown()`, `setLanguage(language)`, `showCaptions()`, `seek(seconds)`, `setRate(rate)` and `thumbnail(seconds)`. */
const PAGES: Readonly<Record<DashPlayer, string>> = {
  shaka: `
    const player = new shaka.Player();
    player.addEventListener('error', ({ detail }) => problems.push(detail.code + ' ' + detail.message));
    player.addEventListener('timelineregionadded', ({ detail }) =>
      events.push(detail.schemeIdUri + ' ' + detail.value));
    window.play = async (uri) => {
      await player.attach(video);
      await player.load(uri);
      await video.play();
    };
    window.shown = () => ({
      start: player.seekRange().start,
      isLive: player.isLive(),
      languages: [...new Set(player.getAudioTracks().map(({ language }) => language))],
    });
    window.setLanguage = (language) =>
      player.selectAudioTrack(player.getAudioTracks().find((track) => track.language === language));
    window.showCaptions = () => player.selectTextTrack(player.getTextTracks()[0]);
    window.thumbnail = async (seconds) => {
      const found = await player.getThumbnails(null, seconds);
      if (!found) return null;
      const { uris, positionX, width, height } = found;
      return { x: positionX, width, height, spriteWidth: await widthOf(uris[0]) };
    };
    window.setRate = (rate) => { video.playbackRate = rate; };`,
  dashjs: `
    const player = dashjs.MediaPlayer().create();
    player.on('error', ({ error }) => problems.push(error.code + ' ' + error.message));
    player.on('urn:rivulet:marker', ({ event }) =>
      events.push(event.eventStream.schemeIdUri + ' ' + event.eventStream.value));
    // Its waits at pauses of the encoder are as long as those.
    player.updateSettings({ streaming: { liveCatchup: { enabled: false } } });
    window.play = (uri) => player.initialize(video, uri, true);
    window.shown = () => ({
      start: player.getDvrWindow()?.start ?? 0,
      isLive: player.isDynamic(),
      languages: [...new Set(player.getTracksFor('audio').map(({ lang }) => lang))],
    });
    window.setLanguage = (language) =>
      player.setCurrentTrack(player.getTracksFor('audio').find(({ lang }) => lang === language));
    window.showCaptions = () => player.setTextTrack(0);
    window.thumbnail = async (seconds) => {
      const found = await new Promise((resolve) => player.provideThumbnail(seconds, resolve));
      // It has none of a period that it does not play.
      if (!found) return null;
      const { url, x, width, height } = found;
      return { x, width, height, spriteWidth: await widthOf(url) };
    };
    window.setRate = (rate) => player.setPlaybackRate(rate);`,
};

const SCRIPTS: Readonly<Record<DashPlayer, string>> = {
  shaka: 'shaka-player/dist/shaka-player.dash.js',
  dashjs: 'dashjs/dist/modern/umd/dash.mediaplayer.min.js',
};

const pageOf = (player: DashPlayer): string => `<!doctype html>
<link rel="icon" href="data:,">
<video id="video" muted></video>
<script src="/${player}.js"></script>
<script>
  const video = document.getElementById('video');
  const problems = [];
  const events = [];
  const widthOf = async (uri) => {
    const image = new Image();
    image.src = uri;
    await image.decode();
    return image.naturalWidth;
  };
  ${PAGES[player]}
  window.seek = (seconds) => { video.currentTime = seconds; };
  window.all = () => ({
    time: video.currentTime, ended: video.ended, events, problems, ...window.shown(),
    cues: [...video.textTracks].flatMap(({ cues }) => [...(cues ?? [])]).map(({ text }) => text),
  });
</script>`;

/** Pages of both players by their names; the address ends with a slash. */
export async function servePlayers(t: Scope): Promise<string> {
  const server = createServer(async ({ url = '' }, response) => {
    const name = url.match(/^\/(shaka|dashjs)(?:\.js)?$/)?.[1] as DashPlayer | undefined;
    if (!name) return response.writeHead(404).end();
    if (!url.endsWith('.js')) {
      return response.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(name));
    }
    const path = fileURLToPath(new URL(`../../node_modules/${SCRIPTS[name]}`, import.meta.url));
    return response.writeHead(200, { 'content-type': 'text/javascript' }).end(await readFile(path));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

export type OpenPlayer = Readonly<{
  shown(): Promise<Shown>;
  setLanguage(language: string): Promise<unknown>;
  showCaptions(): Promise<unknown>;
  thumbnail(seconds: number): Promise<ShownThumbnail | null>;
  seek(seconds: number): Promise<unknown>;
  setRate(rate: number): Promise<unknown>;
}>;

export async function openPlayer(
  browser: Browser,
  pages: string,
  name: DashPlayer,
  mpd: string,
): Promise<OpenPlayer> {
  const page = await browser.newPage();
  await page.goto(pages + name);
  const call = (method: string, value: string | number): Promise<unknown> =>
    page.evaluate(`window.${method}(${JSON.stringify(value)})`);
  await call('play', mpd);
  return {
    shown: () => shownOf(page),
    setLanguage: (language) => call('setLanguage', language),
    showCaptions: () => call('showCaptions', ''),
    thumbnail: (seconds) => call('thumbnail', seconds) as Promise<ShownThumbnail | null>,
    seek: (seconds) => call('seek', seconds),
    setRate: (rate) => call('setRate', rate),
  };
}

const shownOf = (page: Page): Promise<Shown> => page.evaluate('window.all()');
