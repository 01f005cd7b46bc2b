/** The state machine of a viewer, from opening a stream to its end. Pure: an event in, the state and at most one command out. */

import type { Holdup } from '../shared/supply.ts';

export type ViewingState =
  | 'opening'
  | 'waiting'
  | 'connecting'
  | 'live'
  | 'behind'
  | 'recording'
  | 'stalled'
  | 'reconnecting'
  | 'recovering'
  | 'ended'
  | 'unknown'
  | 'failed';

/**
 * `error`: the server answered with one. `slow`: the answer was on its way, and took too long. `offline`: the
 * browser reports that the device has no network.
 */
export type RequestFailure = 'no_answer' | 'error' | 'slow' | 'offline';

export type Viewing = Readonly<{
  state: ViewingState;
  /** `none` until playlists were loaded; `live` while they grow. */
  source: 'none' | 'live' | 'recording';
  /** Whether playback is at the live edge, as far as playlists allow. */
  atEdge: boolean;
  /** Whether this viewer has watched it live. */
  wasLive: boolean;
  /** The stream has ended, but the loaded playlist holds its last window only. */
  partial: boolean;
  /** Failed requests to the server in a row. */
  attempt: number;
  /** Whose fault it is that playback stands still. */
  holdup: Holdup;
  /** Since when, as far as the server says; Unix time by this device's clock. */
  heldUpSinceMs?: number | undefined;
  /** What the last failed request failed by. */
  failure: RequestFailure;
  /** Times of media errors that were answered with a recovery. */
  mediaErrorsAtMs: readonly number[];
  /** The last error, as the player or the server reported it. */
  detail: string;
}>;

export type ViewingEvent =
  /** Of the server and the network. `found`: segments were published. */
  | Readonly<{ type: 'found' | 'not_found' | 'offline' | 'online' }>
  /**
   * `uploads`: the broadcaster has begun, and nothing is published yet. `trouble`: what is wrong with the file
   * that was to be the stream.
   */
  | Readonly<{ type: 'not_started'; uploads?: boolean; trouble?: string }>
  | Readonly<{ type: 'unreachable' | 'network_error'; detail: string; failure: RequestFailure }>
  /**
   * Of the player. `ready`: there is enough to play; `moved`: playback advances, or the viewer moved
   * it; `flowing`: data arrives again.
   */
  | Readonly<{ type: 'ready' | 'moved' | 'flowing' | 'played_out' }>
  | Readonly<{ type: 'source'; live: boolean; partial: boolean }>
  | Readonly<{ type: 'edge'; atEdge: boolean }>
  | Readonly<{ type: 'stalled'; holdup: Holdup; sinceMs?: number }>
  | Readonly<{ type: 'media_error'; detail: string; atMs: number }>
  /** Requests of the viewer. */
  | Readonly<{ type: 'try_again' | 'watch_from_start' }>;

export type ViewingCommand =
  /** Request the stream's state from the server, after a delay. */
  | Readonly<{ type: 'ask'; afterMs: number }>
  /** Load the playlists from scratch. `same`: at the viewer's position, counted from the end when the stream has ended. */
  | Readonly<{ type: 'load'; at: 'default' | 'same' | 'start'; paused: boolean }>
  /** `resume`: load where an error stopped it. */
  | Readonly<{ type: 'resume' | 'recover_decoder' | 'stop' }>;

export type Step = Readonly<{ viewing: Viewing; command?: ViewingCommand }>;

const ASK_NOW: ViewingCommand = { type: 'ask', afterMs: 0 };

export const START: Step = {
  viewing: {
    state: 'opening',
    source: 'none',
    atEdge: true,
    wasLive: false,
    partial: false,
    attempt: 0,
    holdup: 'nobody',
    failure: 'no_answer',
    mediaErrorsAtMs: [],
    detail: '',
  },
  command: ASK_NOW,
};

const to = (viewing: Viewing, change: Partial<Viewing>, command?: ViewingCommand): Step => ({
  viewing: { ...viewing, ...change },
  ...(command && { command }),
});

const load = (at: 'default' | 'same' | 'start', paused = false): ViewingCommand => {
  return { type: 'load', at, paused };
};

/** Media errors further apart than this are unrelated. */
const MEDIA_ERROR_MEMORY_MS = 60_000;

/** Half a second after the first failure, twice as long after each further one. */
export const reconnectDelayMs = (attempt: number): number => Math.min(15_000, 500 * 2 ** attempt);

/** Grows, so that a start is noticed within seconds and a long wait costs few requests. */
export const waitingDelayMs = (attempt: number): number => Math.min(10_000, 1000 * 1.3 ** attempt);

export function step(viewing: Viewing, event: ViewingEvent): Step {
  switch (event.type) {
    case 'found':
      return found(viewing);
    case 'not_started':
      return waitForStart(viewing, event.uploads ?? false, event.trouble ?? '');
    case 'not_found':
      return to(viewing, { state: 'unknown', source: 'none' }, { type: 'stop' });
    case 'unreachable':
    case 'network_error':
      return isOver(viewing) ? { viewing } : reconnect(viewing, event.detail, event.failure);
    case 'offline':
      if (isOver(viewing) || viewing.state === 'ended') return { viewing };
      return to(viewing, { state: 'reconnecting', failure: 'offline' });
    case 'online':
      return to(
        viewing,
        { failure: 'no_answer' },
        viewing.state === 'reconnecting' ? ASK_NOW : undefined,
      );
    case 'ready':
      return undisturbed({ ...viewing, attempt: 0, holdup: 'nobody' }, RESUMABLE);
    case 'moved':
      return undisturbed({ ...viewing, holdup: 'nobody' }, [...RESUMABLE, 'ended']);
    case 'flowing':
      return undisturbed({ ...viewing, attempt: 0 }, ['reconnecting']);
    case 'source':
      return sourceChanged(viewing, event.live, event.partial);
    case 'edge':
      return undisturbed({ ...viewing, atEdge: event.atEdge }, ['live', 'behind']);
    case 'stalled':
      if (!isWatching(viewing) && viewing.state !== 'stalled') return { viewing };
      return to(viewing, {
        state: 'stalled',
        holdup: event.holdup,
        heldUpSinceMs: event.sinceMs,
      });
    case 'media_error':
      return isOver(viewing) ? { viewing } : recover(viewing, event.detail, event.atMs);
    case 'played_out':
      return playedOut(viewing);
    case 'try_again':
      return to(START.viewing, { wasLive: viewing.wasLive }, ASK_NOW);
    case 'watch_from_start':
      return to(viewing, { state: 'connecting' }, load('start'));
  }
}

/** States that end as soon as there is something to play. */
const RESUMABLE: readonly ViewingState[] = ['connecting', 'stalled', 'recovering'];

/** Whether playback is undisturbed. */
export const isWatching = ({ state }: Viewing): boolean =>
  state === 'live' || state === 'behind' || state === 'recording';

/** Only the viewer or the server ends these states, never an event of the player. */
const isOver = ({ state }: Viewing): boolean => state === 'unknown' || state === 'failed';

/** From one of `states` to the state of undisturbed playback that fits the source. */
function undisturbed(viewing: Viewing, states: readonly ViewingState[]): Step {
  if (!states.includes(viewing.state)) return { viewing };
  if (viewing.source === 'none') return to(viewing, { state: 'connecting' });
  const state = viewing.source === 'recording' ? 'recording' : viewing.atEdge ? 'live' : 'behind';
  return to(viewing, { state });
}

function waitForStart(viewing: Viewing, uploads: boolean, detail: string): Step {
  // A stream that is being watched has started, whatever a cache says.
  if (viewing.source !== 'none') return found(viewing);
  const attempt = viewing.state === 'opening' ? 0 : viewing.attempt + 1;
  const command: ViewingCommand = { type: 'ask', afterMs: waitingDelayMs(attempt) };
  const holdup = uploads ? 'server' : 'broadcaster';
  return to(viewing, { state: 'waiting', attempt, holdup, detail }, command);
}

function found(viewing: Viewing): Step {
  if (viewing.state === 'reconnecting' && viewing.source !== 'none') {
    return to(viewing, {}, { type: 'resume' });
  }
  if (!['opening', 'waiting', 'reconnecting'].includes(viewing.state)) return { viewing };
  return to(viewing, { state: 'connecting' }, load('default'));
}

function reconnect(viewing: Viewing, detail: string, failure: RequestFailure): Step {
  // The first failure in a row does not count: it has the shortest delay.
  const attempt = viewing.state === 'reconnecting' ? viewing.attempt + 1 : viewing.attempt;
  const command: ViewingCommand = { type: 'ask', afterMs: reconnectDelayMs(attempt) };
  return to(viewing, { state: 'reconnecting', attempt, detail, failure }, command);
}

function sourceChanged(viewing: Viewing, live: boolean, partial: boolean): Step {
  const next: Viewing = {
    ...viewing,
    source: live ? 'live' : 'recording',
    wasLive: viewing.wasLive || live,
    partial: !live && partial,
  };
  const endedNow = viewing.source === 'live' && !live;
  // A viewer at the edge plays the last seconds undisturbed; one who rewound gets the whole recording at once.
  if (endedNow && partial && !viewing.atEdge && !isOver(viewing)) {
    return to(next, { state: 'connecting', partial: false }, load('same'));
  }
  return undisturbed(next, ['live', 'behind', 'recording']);
}

function recover(viewing: Viewing, detail: string, atMs: number): Step {
  const recent = viewing.mediaErrorsAtMs.filter((then) => atMs - then < MEDIA_ERROR_MEMORY_MS);
  if (recent.length >= 2) return to(viewing, { state: 'failed', detail }, { type: 'stop' });
  const command = recent.length === 0 ? ({ type: 'recover_decoder' } as const) : load('same');
  return to(viewing, { state: 'recovering', detail, mediaErrorsAtMs: [...recent, atMs] }, command);
}

function playedOut(viewing: Viewing): Step {
  if (viewing.source !== 'recording' || isOver(viewing)) return { viewing };
  const command = viewing.partial ? load('same', true) : undefined;
  return to(viewing, { state: 'ended', partial: false }, command);
}
