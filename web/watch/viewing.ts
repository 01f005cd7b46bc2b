/** The state machine of a viewer, from opening a stream to its end. Pure: an event in, the state and at most one command out. */

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
  /** The browser reports that the device has no network. */
  offline: boolean;
  /** Everything that was published has been played: the broadcaster is late. */
  starved: boolean;
  /** Times of media errors that were answered with a recovery. */
  mediaErrorsAtMs: readonly number[];
  /** The last error, as the player or the server reported it. */
  detail: string;
}>;

export type ViewingEvent =
  /** The server has published segments. */
  | Readonly<{ type: 'found' }>
  | Readonly<{ type: 'not_started' }>
  | Readonly<{ type: 'not_found' }>
  | Readonly<{ type: 'unreachable'; detail: string }>
  | Readonly<{ type: 'offline' }>
  | Readonly<{ type: 'online' }>
  /** There is enough to play. */
  | Readonly<{ type: 'ready' }>
  /** Playback advances, or the viewer moved it. */
  | Readonly<{ type: 'moved' }>
  /** Data arrives again. */
  | Readonly<{ type: 'flowing' }>
  | Readonly<{ type: 'source'; live: boolean; partial: boolean }>
  | Readonly<{ type: 'edge'; atEdge: boolean }>
  | Readonly<{ type: 'stalled'; starved: boolean }>
  | Readonly<{ type: 'network_error'; detail: string }>
  | Readonly<{ type: 'media_error'; detail: string; atMs: number }>
  | Readonly<{ type: 'played_out' }>
  /** Requests of the viewer. */
  | Readonly<{ type: 'try_again' }>
  | Readonly<{ type: 'watch_from_start' }>;

export type ViewingCommand =
  /** Request the stream's state from the server, after a delay. */
  | Readonly<{ type: 'ask'; afterMs: number }>
  /** Load the playlists from scratch. `same`: at the viewer's position, counted from the end when the stream has ended. */
  | Readonly<{ type: 'load'; at: 'default' | 'same' | 'start'; paused: boolean }>
  /** Resume loading where an error stopped it. */
  | Readonly<{ type: 'resume' }>
  | Readonly<{ type: 'recover_decoder' }>
  | Readonly<{ type: 'stop' }>;

export type Step = Readonly<{ viewing: Viewing; command?: ViewingCommand }>;

export const START: Step = {
  viewing: {
    state: 'opening',
    source: 'none',
    atEdge: true,
    wasLive: false,
    partial: false,
    attempt: 0,
    offline: false,
    starved: false,
    mediaErrorsAtMs: [],
    detail: '',
  },
  command: { type: 'ask', afterMs: 0 },
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
      return waitForStart(viewing);
    case 'not_found':
      return {
        viewing: { ...viewing, state: 'unknown', source: 'none' },
        command: { type: 'stop' },
      };
    case 'unreachable':
    case 'network_error':
      return isOver(viewing) ? { viewing } : reconnect(viewing, event.detail);
    case 'offline':
      return offline(viewing);
    case 'online':
      return online(viewing);
    case 'ready':
      return undisturbed({ ...viewing, attempt: 0, starved: false }, RESUMABLE);
    case 'moved':
      return undisturbed({ ...viewing, starved: false }, [...RESUMABLE, 'ended']);
    case 'flowing':
      return undisturbed({ ...viewing, attempt: 0, offline: false }, ['reconnecting']);
    case 'source':
      return sourceChanged(viewing, event.live, event.partial);
    case 'edge':
      return undisturbed({ ...viewing, atEdge: event.atEdge }, ['live', 'behind']);
    case 'stalled':
      return isWatching(viewing) || viewing.state === 'stalled'
        ? { viewing: { ...viewing, state: 'stalled', starved: event.starved } }
        : { viewing };
    case 'media_error':
      return isOver(viewing) ? { viewing } : recover(viewing, event.detail, event.atMs);
    case 'played_out':
      return playedOut(viewing);
    case 'try_again':
      return {
        viewing: { ...START.viewing, wasLive: viewing.wasLive },
        command: { type: 'ask', afterMs: 0 },
      };
    case 'watch_from_start':
      return {
        viewing: { ...viewing, state: 'connecting' },
        command: { type: 'load', at: 'start', paused: false },
      };
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
  if (viewing.source === 'none') return { viewing: { ...viewing, state: 'connecting' } };
  const state = viewing.source === 'recording' ? 'recording' : viewing.atEdge ? 'live' : 'behind';
  return { viewing: { ...viewing, state } };
}

function waitForStart(viewing: Viewing): Step {
  // A stream that is being watched has started, whatever a cache says.
  if (viewing.source !== 'none') return found(viewing);
  const attempt = viewing.state === 'opening' ? 0 : viewing.attempt + 1;
  return {
    viewing: { ...viewing, state: 'waiting', attempt, offline: false },
    command: { type: 'ask', afterMs: waitingDelayMs(attempt) },
  };
}

function found(viewing: Viewing): Step {
  if (viewing.state === 'reconnecting' && viewing.source !== 'none') {
    return { viewing: { ...viewing, offline: false }, command: { type: 'resume' } };
  }
  if (!['opening', 'waiting', 'reconnecting'].includes(viewing.state)) return { viewing };
  return {
    viewing: { ...viewing, state: 'connecting', offline: false },
    command: { type: 'load', at: 'default', paused: false },
  };
}

function reconnect(viewing: Viewing, detail: string): Step {
  // The first failure in a row does not count: it has the shortest delay.
  const attempt = viewing.state === 'reconnecting' ? viewing.attempt + 1 : viewing.attempt;
  return {
    viewing: { ...viewing, state: 'reconnecting', attempt, detail },
    command: { type: 'ask', afterMs: reconnectDelayMs(attempt) },
  };
}

function offline(viewing: Viewing): Step {
  if (isOver(viewing) || viewing.state === 'ended') return { viewing };
  return { viewing: { ...viewing, state: 'reconnecting', offline: true } };
}

function online(viewing: Viewing): Step {
  if (viewing.state !== 'reconnecting') return { viewing: { ...viewing, offline: false } };
  return { viewing: { ...viewing, offline: false }, command: { type: 'ask', afterMs: 0 } };
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
    return {
      viewing: { ...next, state: 'connecting', partial: false },
      command: { type: 'load', at: 'same', paused: false },
    };
  }
  return undisturbed(next, ['live', 'behind', 'recording']);
}

function recover(viewing: Viewing, detail: string, atMs: number): Step {
  const recent = viewing.mediaErrorsAtMs.filter((then) => atMs - then < MEDIA_ERROR_MEMORY_MS);
  if (recent.length >= 2) {
    return { viewing: { ...viewing, state: 'failed', detail }, command: { type: 'stop' } };
  }
  return {
    viewing: { ...viewing, state: 'recovering', detail, mediaErrorsAtMs: [...recent, atMs] },
    command:
      recent.length === 0
        ? { type: 'recover_decoder' }
        : { type: 'load', at: 'same', paused: false },
  };
}

function playedOut(viewing: Viewing): Step {
  if (viewing.source !== 'recording' || isOver(viewing)) return { viewing };
  const ended: Viewing = { ...viewing, state: 'ended', partial: false };
  return viewing.partial
    ? { viewing: ended, command: { type: 'load', at: 'same', paused: true } }
    : { viewing: ended };
}
