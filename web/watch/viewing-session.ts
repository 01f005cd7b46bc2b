/** One viewer of one stream: feeds events to the state machine, and runs its commands on player and server. */

import { ApiError } from '../../lib/api/client.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { viewStream } from '../shared/stream-api.ts';
import { holdupOf, type Supply } from '../shared/supply.ts';
import { behindLiveSeconds, clockOffsetMs } from './live-delay.ts';
import { catchUpRate, isAtEdge, isAtEdgeAfterSeek, isTooFarBehind } from './live-edge.ts';
import type { Playback, PlaybackFacts } from './playback.ts';
import { watchSupply } from './supply-watch.ts';
import {
  isWatching,
  START,
  step,
  type Viewing,
  type ViewingCommand,
  type ViewingEvent,
} from './viewing.ts';

/** How a live viewer stands; times by this device's clock. */
export type LiveStatus = Readonly<{
  supply: Supply;
  /** Behind live, by the wall clock. */
  delaySeconds: number;
}>;

export type SessionListener = Readonly<{
  viewing(viewing: Viewing): void;
  stream(stream: StreamView): void;
  facts(facts: PlaybackFacts, status: LiveStatus): void;
}>;

export type ViewingSession = Readonly<{
  dispatch(event: ViewingEvent): void;
  seekToEdge(): void;
  /** Asks the server what the stream is now. */
  refresh(): void;
  end(): void;
}>;

const TICK_MS = 250;
/** Shorter pauses are normal at a switch or a seek. */
const STALL_TICKS = 4;

export type ViewingOptions = Readonly<{
  /** All viewers lose a server at the same moment, so this (0 to 1) jitters the delays. */
  random?: () => number;
  /** Whether a viewer at the live edge is kept near it; false: the caller moves playback. */
  keepsUp?: boolean;
}>;

/** `createPlayback` is called once, with the sink of its events. */
export function startViewing(
  videoId: string,
  video: HTMLVideoElement,
  createPlayback: (dispatch: (event: ViewingEvent) => void) => Playback,
  listener: SessionListener,
  { random = Math.random, keepsUp = true }: ViewingOptions = {},
): ViewingSession {
  const ending = new AbortController();
  const { signal } = ending;
  let viewing = START.viewing;
  let stream: StreamView | undefined;
  let asking: ReturnType<typeof setTimeout> | undefined;
  let following = true;
  let stalledTicks = 0;
  let lastTime = 0;
  let catchingUpAt = 1;
  let serverAheadMs = 0;

  const supplyWatch = watchSupply(
    () => void refresh(),
    () => performance.now(),
    random,
  );
  const playback = createPlayback(dispatch);

  function dispatch(event: ViewingEvent): void {
    if (signal.aborted) return;
    const next = step(viewing, 'failure' in event ? failureOf(event) : event);
    const hasEnded = viewing.source === 'live' && next.viewing.source === 'recording';
    const changed = JSON.stringify(next.viewing) !== JSON.stringify(viewing);
    viewing = next.viewing;
    if (changed) listener.viewing(viewing);
    if (next.command) run(next.command);
    // For the final duration and end time.
    if (hasEnded) void refresh();
  }

  /** Playback does not depend on the answer: where there is none, the player notices by itself. */
  async function refresh(): Promise<void> {
    const answer = await viewStream(videoId, signal).catch(() => undefined);
    if (answer && !signal.aborted) note(answer);
  }

  function note(answer: StreamView): void {
    stream = answer;
    serverAheadMs = clockOffsetMs(answer.serverTime, Date.now());
    supplyWatch.note(answer);
    listener.stream(answer);
  }

  function run(command: ViewingCommand): void {
    clearTimeout(asking);
    switch (command.type) {
      case 'ask':
        asking = setTimeout(ask, command.afterMs * (0.8 + 0.4 * random()));
        return;
      case 'load': {
        // A paused viewer stays paused through a reload.
        const paused = command.paused || (command.at === 'same' && video.paused);
        following = command.at === 'default' && !paused;
        lastTime = 0;
        if (stream) playback.load(stream.hls, { at: command.at, paused });
        return;
      }
      case 'resume':
        playback.resume();
        return;
      case 'recover_decoder':
        playback.recoverDecoder();
        return;
      case 'stop':
        playback.stop();
    }
  }

  async function ask(): Promise<void> {
    try {
      const answer = await viewStream(videoId, signal);
      note(answer);
      const uploads = answer.newestUploadAt !== undefined;
      const { message } = answer.file?.failure ?? {};
      const trouble = message === undefined ? {} : { trouble: message };
      dispatch(
        answer.durationSeconds > 0
          ? { type: 'found' }
          : { type: 'not_started', uploads, ...trouble },
      );
    } catch (error) {
      dispatch(eventOf(error));
    }
  }

  function followIfAtEdge(movedSeconds: number): void {
    const { live, behindSeconds, targetDurationSeconds: targetSeconds } = playback.facts();
    // While a load is under way its command decides, as no position means anything yet.
    if (!live) return;
    const atEdge = isAtEdgeAfterSeek(viewing.atEdge, movedSeconds, behindSeconds, targetSeconds);
    dispatch({ type: 'edge', atEdge });
    following = atEdge && !video.paused;
  }

  function keepUp(facts: PlaybackFacts): void {
    const { behindSeconds, bufferSeconds, holdBackSeconds, targetDurationSeconds } = facts;
    // `following` is out of date while a seek waits for its event.
    const follows = facts.live && following && !video.paused && !video.seeking;
    if (follows && isTooFarBehind(behindSeconds, holdBackSeconds, targetDurationSeconds)) {
      playback.seekToEdge();
      return;
    }
    const rate =
      follows && isWatching(viewing)
        ? catchUpRate(catchingUpAt, behindSeconds, bufferSeconds, targetDurationSeconds)
        : 1;
    // A rate that the viewer chose is kept.
    if (rate !== catchingUpAt) video.playbackRate = rate;
    catchingUpAt = rate;
  }

  function tick(): void {
    const facts = playback.facts();
    const supply = supplyByDevice(supplyWatch.observe(facts, viewing.state === 'stalled'));
    noticeStall(facts, supply);
    // Before there is a frame, the position is not where the viewer will be.
    if (facts.live && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      const atEdge = isAtEdge(viewing.atEdge, facts.behindSeconds, facts.targetDurationSeconds);
      dispatch({ type: 'edge', atEdge });
    }
    if (keepsUp) keepUp(facts);
    const quietSinceMs = 'sinceMs' in supply ? supply.sinceMs : undefined;
    const shownAtMs = facts.shownAtMs === undefined ? undefined : facts.shownAtMs - serverAheadMs;
    const position = { edgeSeconds: facts.edgeSeconds, shownAtMs, quietSinceMs };
    const delaySeconds = behindLiveSeconds(position, Date.now());
    listener.facts(facts, { supply, delaySeconds });
  }

  const supplyByDevice = (supply: Supply): Supply =>
    'sinceMs' in supply ? { ...supply, sinceMs: supply.sinceMs - serverAheadMs } : supply;

  function noticeStall(facts: PlaybackFacts, supply: Supply): void {
    const moves = video.currentTime !== lastTime;
    lastTime = video.currentTime;
    const shouldMove = !video.paused && !video.ended && viewing.source !== 'none';
    stalledTicks = shouldMove && !moves ? stalledTicks + 1 : 0;
    if (stalledTicks < STALL_TICKS) {
      if (moves && viewing.state === 'stalled') dispatch({ type: 'moved' });
      return;
    }
    const holdup = holdupOf(facts, supply);
    // A response that was on its way overtakes the event, and hls.js retries silently while there is no network.
    if (!navigator.onLine && (holdup === 'viewer' || holdup === 'nobody')) {
      dispatch({ type: 'offline' });
      return;
    }
    const since = 'sinceMs' in supply && holdup !== 'viewer' ? { sinceMs: supply.sinceMs } : {};
    dispatch({ type: 'stalled', holdup, ...since });
  }

  const on = (name: keyof HTMLVideoElementEventMap, handle: () => void): void =>
    video.addEventListener(name, handle, { signal });
  on('canplay', () => dispatch({ type: 'ready' }));
  on('playing', () => dispatch({ type: 'moved' }));
  on('ended', () => dispatch({ type: 'played_out' }));
  on('pause', () => {
    following = false;
  });
  // At once: a viewer who rewinds must not be taken for one who fell behind.
  on('seeking', () => {
    if (viewing.state === 'ended' && video.duration - video.currentTime > 1) {
      dispatch({ type: 'moved' });
    }
    followIfAtEdge(video.currentTime - lastTime);
  });
  on('play', () => followIfAtEdge(0));
  window.addEventListener('offline', () => dispatch({ type: 'offline' }), { signal });
  window.addEventListener('online', () => dispatch({ type: 'online' }), { signal });

  const ticking = setInterval(tick, TICK_MS);
  listener.viewing(viewing);
  if (START.command) run(START.command);

  return {
    dispatch,
    seekToEdge() {
      playback.seekToEdge();
      following = true;
    },
    refresh: () => void refresh(),
    end() {
      ending.abort();
      clearTimeout(asking);
      clearInterval(ticking);
      playback.destroy();
    },
  };
}

/** A device without network reaches no server, whatever the player makes of it. */
const failureOf = (event: Extract<ViewingEvent, { failure: unknown }>): ViewingEvent =>
  navigator.onLine ? event : { ...event, failure: 'offline' };

function eventOf(error: unknown): ViewingEvent {
  if (error instanceof ApiError) {
    if (error.code === 'not_started') return { type: 'not_started' };
    if (error.status === 404 || error.status === 400) return { type: 'not_found' };
    return { type: 'unreachable', detail: error.message, failure: 'error' };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'unreachable', detail, failure: 'no_answer' };
}
