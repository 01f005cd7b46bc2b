/** What a player is, and the judgement of what it made of an offer. */

import { type Decoded, lipSyncOf } from '../support/lip-sync.ts';
import { RATE } from '../support/segment-files.ts';
import type { Offer } from './offers.ts';

/** How long a live stream is watched. */
export const LIVE_SECONDS = 6;
const TOLERANCE_SECONDS = 0.01;
/** The sound is cut at AAC frames, of 21 ms each. */
const MISSING_SOUND_SECONDS = 0.07;
/** mpv fills its last block, of 16,384 samples, with silence. */
const MORE_SOUND_SECONDS = 0.342;
/** Of a live stream, what a player that joins must have of what it had time for. */
const LIVE_SHARE = 0.5;

/** What is known of a player, and not ours. */
export type Limit = Readonly<{
  note: string;
  /** Not tried at all. */
  cannot?: true;
  /** It decodes all, but the times that it plays by cannot be read well enough. */
  notMeasured?: true;
  lostSeconds?: number;
  /** It stops so long before the end of a recording, at most, and does not report it. */
  endsEarlySeconds?: number;
}>;

/** Without `decoded` it played to the end; without `frames` only what was heard and seen is known. */
export type Played = Readonly<{
  decoded?: Pick<Decoded, 'flashes' | 'beeps' | 'language'> &
    Partial<Pick<Decoded, 'frames' | 'soundSeconds'>>;
  problems: readonly string[];
}>;

export type Player = Readonly<{
  name: string;
  /** Undefined: this machine does not have it. */
  version(): Promise<string | undefined>;
  limitOf(offer: Offer): Limit | undefined;
  /** `folder` is its own, for this offer. */
  play(offer: Offer, folder: string): Promise<Played>;
  /** What its output may lack at the end: it writes while it plays, and ends with the player. */
  tailSeconds?: number;
}>;

export type Cell = Readonly<{ isWrong: boolean; text: string }>;

const wrong = (reason: string): Cell => ({
  isWrong: true,
  text: `✗ ${reason.replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 200)}`,
});

export async function cellOf(
  player: Player,
  offer: Offer,
  folder: string,
  sourceSync: number,
): Promise<Cell> {
  const limit = player.limitOf(offer);
  if (limit?.cannot) return { isWrong: false, text: `– ${limit.note}` };
  try {
    const played = await player.play(offer, folder);
    return judge(player, offer, played, sourceSync, limit);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
}

function judge(
  player: Player,
  offer: Offer,
  { decoded, problems }: Played,
  sourceSync: number,
  limit?: Limit,
): Cell {
  if (problems[0] !== undefined) return wrong(problems[0]);
  const note = limit ? `; ${limit.note}` : '';
  if (!decoded) return { isWrong: false, text: `✓ plays${note}` };
  const seconds = (offer.seconds ?? LIVE_SECONDS * LIVE_SHARE) - (limit?.lostSeconds ?? 0);
  const { tailSeconds = 0 } = player;
  const { frames, soundSeconds } = decoded;
  if (frames !== undefined && soundSeconds !== undefined) {
    const expected = Math.round(seconds * RATE);
    const lost = expected - frames;
    const isWhole =
      offer.seconds === undefined ? lost <= 0 : lost >= 0 && lost <= tailSeconds * RATE;
    if (!isWhole) return wrong(`${frames} frames of ${expected}`);
    const more = soundSeconds - seconds;
    if (
      more < -MISSING_SOUND_SECONDS - tailSeconds ||
      (offer.seconds && more > MORE_SOUND_SECONDS)
    ) {
      return wrong(`${soundSeconds.toFixed(3)} s of sound in ${seconds} s`);
    }
  }
  if (decoded.language !== offer.lang) return wrong(`the language is ${decoded.language}`);
  if (limit?.notMeasured) return { isWrong: false, text: `✓ plays${note}` };
  const errors = lipSyncOf(decoded).map((sync) => (sync - sourceSync) * 1000);
  if (errors.length < Math.floor(seconds)) {
    return wrong(`${errors.length} flashes with a beep in ${seconds} s`);
  }
  const worst = errors.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const text = `${worst > 0 ? '+' : ''}${worst.toFixed(1)} ms`;
  if (Math.abs(worst) > TOLERANCE_SECONDS * 1000) return wrong(`sound is off by ${text}`);
  return { isWrong: false, text: `✓ ${text.replace(/^[+-]0\.0/, '0.0')}${note}` };
}
