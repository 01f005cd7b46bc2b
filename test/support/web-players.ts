/** hls.js, Shaka Player and dash.js in a real browser, one interface over what they need. */

import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { recordAppends } from './lip-sync.ts';

export type WebPlayerName = 'hls.js' | 'Shaka Player' | 'dash.js';

const SCRIPTS: Readonly<Record<WebPlayerName, string>> = {
  'hls.js': 'hls.js/dist/hls.js',
  'Shaka Player': 'shaka-player/dist/shaka-player.compiled.js',
  'dash.js': 'dashjs/dist/modern/umd/dash.mediaplayer.min.js',
};

/** In the page: `play(url, language, from)` and `setLanguage(language)`; `problems` is filled by both. */
const PAGES: Readonly<Record<WebPlayerName, string>> = {
  'hls.js': `
    let hls;
    window.play = (url, lang, from) => {
      hls = new Hls({ audioPreference: { lang }, startPosition: from });
      hls.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && problems.push(details));
      hls.loadSource(url);
      hls.attachMedia(video);
    };
    window.setLanguage = (lang) => hls.setAudioOption({ lang });`,
  'Shaka Player': `
    const player = new shaka.Player();
    player.addEventListener('error', ({ detail }) => problems.push(detail.code + ' ' + detail.message));
    window.play = async (url, lang, from) => {
      player.configure({ preferredAudio: [{ language: lang }] });
      await player.attach(video);
      await player.load(url, from < 0 ? null : from);
    };
    window.setLanguage = (lang) =>
      player.selectAudioTrack(player.getAudioTracks().find(({ language }) => language === lang));`,
  'dash.js': `
    const player = dashjs.MediaPlayer().create();
    player.on('error', ({ error }) => problems.push(error.code + ' ' + error.message));
    window.play = (url, lang) => {
      player.updateSettings({ streaming: { liveCatchup: { enabled: false } } });
      player.initialize(video, url, true);
      player.setInitialMediaSettingsFor('audio', { lang });
    };
    window.setLanguage = (language) =>
      player.setCurrentTrack(player.getTracksFor('audio').find(({ lang }) => lang === language));`,
};

/** What a page shows; times in seconds. */
export type WebState = Readonly<{
  time: number;
  ended: boolean;
  duration: number;
  problems: readonly string[];
}>;

export type WebPlayer = Readonly<{
  page: Page;
  state(): Promise<WebState>;
  setLanguage(language: string): Promise<unknown>;
}>;

const PAGE = '<video muted></video><script>window.problems = [];</script>';
const STATE = `(({ currentTime, ended, duration, error }) => ({
  time: currentTime, ended, duration, problems: error ? [...problems, error.message] : problems,
}))(document.querySelector('video'))`;

/** Plays at once; `origin`: an address whose server allows any script, as `/healthz` of ours. */
export async function openWebPlayer(
  browser: Browser,
  name: WebPlayerName,
  origin: string,
  { url, lang, from = -1 }: Readonly<{ url: string; lang: string; from?: number }>,
): Promise<WebPlayer> {
  const page = await browser.newPage();
  await recordAppends(page);
  await page.goto(origin);
  await page.setContent(PAGE);
  await page.addScriptTag({
    path: fileURLToPath(new URL(`../../node_modules/${SCRIPTS[name]}`, import.meta.url)),
  });
  const args = [url, lang, from].map((value) => JSON.stringify(value)).join();
  await page.evaluate(`(async () => {
    const video = document.querySelector('video');
    ${PAGES[name]}
    await window.play(${args});
    await video.play();
  })()`);
  return {
    page,
    state: () => page.evaluate<WebState>(STATE),
    setLanguage: (language) => page.evaluate(`window.setLanguage(${JSON.stringify(language)})`),
  };
}
