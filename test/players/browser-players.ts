/** hls.js, Shaka Player, dash.js, and what Chromium plays without them. */

import type { Browser } from 'playwright-core';
import { findChromium, launchChromium } from '../support/chromium.ts';
import { appendedMoments, appendsOf } from '../support/lip-sync.ts';
import type { Scope } from '../support/system.ts';
import { waitFor } from '../support/system.ts';
import { openWebPlayer, type WebPlayerName, type WebState } from '../support/web-players.ts';
import type { Offer } from './offers.ts';
import { LIVE_SECONDS, type Limit, type Played, type Player } from './player.ts';

/** Of time for a recording; a live stream has its own. */
const RATE = 3;
const WAIT_MS = 90_000;
/** The sound may end a little before or behind the picture. */
const END_TOLERANCE_SECONDS = 0.15;

const KINDS: Readonly<Record<WebPlayerName, readonly Offer['kind'][]>> = {
  'hls.js': ['hls'],
  'Shaka Player': ['hls', 'mpd'],
  'dash.js': ['mpd'],
};

const FILES = { cannot: true, note: 'files are played by the browser' } as const;

/** A browser for all of them, which ends with the scope; none where the machine has none. */
export async function browserPlayers(t: Scope, origin: string): Promise<readonly Player[]> {
  if (findChromium() === undefined)
    return ['hls.js', 'Shaka Player', 'dash.js', 'Chromium'].map(absent);
  const browser = await launchChromium();
  t.after(() => browser.close());
  const names = Object.keys(KINDS) as WebPlayerName[];
  return [
    ...names.map((name) => webPlayer(browser, origin, name)),
    chromiumPlayer(browser, origin),
  ];
}

/** It cuts the list of the sound, which begins a frame before the picture, to the length of the picture's. */
const SHAKA_END: Limit = { note: 'without reporting the end', endsEarlySeconds: 0.25 };

const absent = (name: string): Player => ({
  name,
  version: async () => undefined,
  limitOf: () => undefined,
  play: () => Promise.reject(new Error('There is no Chromium.')),
});

function webLimitOf(name: WebPlayerName, { kind, seconds }: Offer): Limit | undefined {
  if (kind === 'file') return FILES;
  if (!KINDS[name].includes(kind)) return { cannot: true, note: `no ${kind.toUpperCase()}` };
  const isShakaEnd = name === 'Shaka Player' && kind === 'hls' && seconds !== undefined;
  return isShakaEnd ? SHAKA_END : undefined;
}

const webPlayer = (browser: Browser, origin: string, name: WebPlayerName): Player => ({
  name,
  version: async () => browser.version(),
  limitOf: (offer) => webLimitOf(name, offer),
  async play(offer) {
    const { endsEarlySeconds } = webLimitOf(name, offer) ?? {};
    const player = await openWebPlayer(browser, name, origin, offer);
    try {
      await watch(
        offer,
        player.state,
        (rate) => player.page.evaluate(`document.querySelector('video').playbackRate = ${rate}`),
        endsEarlySeconds,
      );
      const { problems } = await player.state();
      const { flashes, beeps, beepsOf } = await appendedMoments(await appendsOf(player.page));
      const [language, ...more] = beepsOf.keys();
      if (!language || more.length > 0) {
        return { problems: [...problems, `it fetched the languages ${[...beepsOf.keys()]}`] };
      }
      return { decoded: { flashes, beeps, language }, problems };
    } finally {
      await player.page.close();
    }
  },
});

const chromiumPlayer = (browser: Browser, origin: string): Player => ({
  name: 'Chromium',
  version: async () => browser.version(),
  limitOf: ({ kind, name }) => {
    if (kind !== 'file') return { cannot: true, note: 'by a player' };
    return name.includes(' ts,') ? { cannot: true, note: 'no MPEG-TS' } : undefined;
  },
  async play(offer): Promise<Played> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      await page.setContent(`<video muted autoplay src="${offer.url.replaceAll('&', '&amp;')}">`);
      const state = () =>
        page.evaluate<WebState>(
          "(({ currentTime, ended, duration, error }) => ({ time: currentTime, ended, duration, problems: error ? [error.message] : [] }))(document.querySelector('video'))",
        );
      await watch(offer, state);
      return { problems: (await state()).problems };
    } finally {
      await page.close();
    }
  },
});

/** To the end, or for a while where it is live; throws where that is elsewhere. */
async function watch(
  { seconds }: Offer,
  state: () => Promise<WebState>,
  setRate?: (rate: number) => Promise<unknown>,
  endsEarlySeconds?: number,
): Promise<void> {
  const isPlaying = async () => {
    const shown = await state();
    if (shown.problems[0]) throw new Error(shown.problems[0]);
    return shown.time > 0 && shown;
  };
  const { time: from } = await waitFor('the first picture', isPlaying, WAIT_MS);
  if (seconds === undefined) {
    await waitFor('live playback', async () => (await state()).time > from + LIVE_SECONDS, WAIT_MS);
    return;
  }
  await setRate?.(RATE);
  let last: WebState | undefined;
  const end = await waitFor(
    'the end',
    async () => {
      last = await state();
      if (last.problems[0]) throw new Error(last.problems[0]);
      const isNearEnd = endsEarlySeconds !== undefined && last.time > seconds - endsEarlySeconds;
      return (last.ended || isNearEnd) && last;
    },
    WAIT_MS,
  ).catch((cause) => {
    throw new Error(`no end: it showed ${last?.time} of ${last?.duration} s`, { cause });
  });
  if (Math.abs(end.time - seconds) > (endsEarlySeconds ?? END_TOLERANCE_SECONDS)) {
    throw new Error(`it ended after ${end.time} of ${seconds} s`);
  }
}
