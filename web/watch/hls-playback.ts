/** Playback by hls.js on Media Source Extensions. */

import Hls, {
  type BufferAppendedData,
  type ErrorData,
  ErrorDetails,
  ErrorTypes,
  Events,
  type Fragment,
  type HlsConfig,
  type Level,
  type LevelDetails,
} from 'hls.js';
import { isBufferedToEnd } from './buffered-end.ts';
import { hlsSettings } from './hls-settings.ts';
import {
  bufferedAhead,
  type LoadOptions,
  type Playback,
  type PlaybackFacts,
  type PlaybackListener,
  startPlaying,
} from './playback.ts';
import { type Anchor, anchorOf, positionOf } from './playback-anchor.ts';
import { loadShareOf, type SegmentLoad } from './segment-loads.ts';
import { instantAt, positionAt } from './wall-clock.ts';

export type HlsPlaybackOptions = Readonly<{
  workerPath: string;
  /** The stream's name for a rung. */
  nameLevel(level: Level): string;
  /** The browser refuses to start playback by itself, even muted. */
  onBlocked(): void;
  /** Where they differ from the watch page's. */
  settings?: Partial<HlsConfig>;
}>;

export type HlsPlayback = Playback &
  Readonly<{
    /** Of the playlist that is played; empty before it is loaded. */
    segments(): readonly Fragment[];
  }>;

export function createHlsPlayback(
  video: HTMLVideoElement,
  listener: PlaybackListener,
  options: HlsPlaybackOptions,
): HlsPlayback {
  let hls: Hls | undefined;
  let address = '';
  let levelSwitches = -1;
  /** Name of the viewer's choice, for the next load; empty: none; undefined: not made yet. */
  let chosenCaptions: string | undefined;
  /** The newest segment of the picture and of the audio, and the one before each. */
  const loads = new Map<string, SegmentLoad>();

  const details = (): LevelDetails | null => hls?.latestLevelDetails ?? null;
  const nameOf = (index: number): string => {
    const level = hls?.levels[index];
    return level ? options.nameLevel(level) : '';
  };

  function reportTracks(): void {
    if (!hls) return;
    listener.tracks({
      levels: hls.levels.map((_, id) => ({ id, name: nameOf(id) })).toReversed(),
      selectedLevel: hls.autoLevelEnabled ? -1 : hls.loadLevel,
      audio: hls.audioTracks.map((track, id) => {
        return { id, name: track.name || track.lang || `${id + 1}` };
      }),
      selectedAudio: hls.audioTrack,
      captions: hls.subtitleTracks.flatMap((track, id) =>
        track.forced ? [] : [{ id, name: track.name || track.lang || `${id + 1}` }],
      ),
      selectedCaptions: shownCaptions(hls),
    });
  }

  function showCaptions(player: Hls, name: string): void {
    const id = player.subtitleTracks.findIndex((track) => !track.forced && track.name === name);
    player.subtitleDisplay = true;
    if (id < 0) showForced(player);
    else player.subtitleTrack = id;
  }

  /** Forced captions belong to the audio of their language, and are shown when no others are. */
  function showForced(player: Hls): void {
    const language = player.audioTracks[player.audioTrack]?.lang;
    const id = player.subtitleTracks.findIndex(({ forced, lang }) => forced && lang === language);
    if (player.subtitleTrack !== id) player.subtitleTrack = id;
  }

  function load(url: string, { at, paused }: LoadOptions): void {
    const anchor = at === 'same' ? anchorOf(details(), video) : undefined;
    const rung = hls && !hls.autoLevelEnabled ? hls.loadLevel : -1;
    hls?.destroy();
    loads.clear();
    address = url;
    const { connection } = navigator as NetworkNavigator;
    const settings = hlsSettings(options.workerPath, connection?.downlink);
    const player = new Hls({ ...settings, ...options.settings });
    hls = player;
    report(player, anchor);
    if (!paused) {
      player.once(Events.MANIFEST_PARSED, () => {
        if (rung >= 0 && rung < player.levels.length) player.loadLevel = rung;
        void startPlaying(video).then((started) => {
          if (!started) options.onBlocked();
        });
      });
    }
    player.attachMedia(video);
    player.loadSource(url);
  }

  function report(player: Hls, anchor: Anchor | undefined): void {
    let hasBeenLive = false;
    let positioned = anchor === undefined;
    let segmentsFail = false;
    let buffers: Buffers = {};
    player.on(Events.MANIFEST_PARSED, reportTracks);
    player.on(Events.LEVELS_UPDATED, reportTracks);
    player.on(Events.LEVEL_SWITCHED, () => {
      levelSwitches += 1;
      reportTracks();
    });
    player.on(Events.AUDIO_TRACKS_UPDATED, reportTracks);
    player.on(Events.AUDIO_TRACK_SWITCHED, () => {
      if (shownCaptions(player) < 0) showForced(player);
      reportTracks();
    });
    player.on(Events.SUBTITLE_TRACKS_UPDATED, () => {
      // Right behind the event hls.js makes a choice of its own.
      queueMicrotask(() => {
        if (hls !== player) return;
        if (chosenCaptions !== undefined) showCaptions(player, chosenCaptions);
        else if (shownCaptions(player) < 0) showForced(player);
        reportTracks();
      });
    });
    player.on(Events.SUBTITLE_TRACK_SWITCH, reportTracks);
    player.on(Events.LEVEL_UPDATED, (_, data) => {
      const { live, startSN, fragmentStart } = data.details;
      // When a playlist grows at its front, hls.js gives the new segments negative positions, which cannot be sought.
      const partial = hasBeenLive && !live && (startSN > 0 || fragmentStart < -0.5);
      hasBeenLive ||= live;
      if (!segmentsFail) listener.event({ type: 'flowing' });
      listener.event({ type: 'source', live, partial });
      if (!positioned && anchor) {
        positioned = true;
        player.startLoad(positionOf(anchor, data.details));
      }
      endWhenBuffered(player, buffers);
    });
    player.on(Events.AUDIO_TRACK_UPDATED, () => endWhenBuffered(player, buffers));
    player.on(Events.BUFFER_APPENDED, (_, { timeRanges }) => {
      buffers = timeRanges;
    });
    player.on(Events.FRAG_LOADING, (_, { frag: { type, sn, stats, duration } }) => {
      if (sn === 'initSegment') return;
      const before = loads.get(type);
      if (before) loads.set(`${type} before`, before);
      loads.set(type, { stats, durationSeconds: duration });
    });
    player.on(Events.FRAG_BUFFERED, () => {
      segmentsFail = false;
      listener.event({ type: 'flowing' });
      endWhenBuffered(player, buffers);
    });
    player.on(Events.ERROR, (_, data) => {
      segmentsFail ||= data.type === ErrorTypes.NETWORK_ERROR && data.frag !== undefined;
      if (!data.fatal) return;
      if (data.details === ErrorDetails.MANIFEST_LOAD_ERROR && data.response?.code === 404) {
        // A CDN may cache the playlist's 404 for a second after the API reports the stream as started.
        listener.event({ type: 'not_started' });
        return;
      }
      const code = data.response?.code ?? 0;
      const detail = `${data.details}${code ? ` (${code})` : ''}`;
      if (data.type === ErrorTypes.NETWORK_ERROR) {
        const isSlow = isTimeout(data) && loadShareOf(loads.values(), performance.now()) > 1;
        const failure = code >= 400 ? 'error' : isSlow ? 'slow' : 'no_answer';
        listener.event({ type: 'network_error', detail, failure });
      } else listener.event({ type: 'media_error', detail, atMs: performance.now() });
    });
  }

  /** `ended` comes only when the buffers are told to end. */
  function endWhenBuffered(player: Hls, buffers: Buffers): void {
    const { audio, video: picture = audio } = buffers;
    const played = [
      { playlist: details(), bufferedTo: endOf(picture) },
      { playlist: player.audioTracks[player.audioTrack]?.details, bufferedTo: endOf(audio) },
    ];
    const known = played.flatMap(({ playlist, bufferedTo }) =>
      playlist ? [{ playlist, bufferedTo }] : [],
    );
    if (isBufferedToEnd(known)) player.trigger(Events.BUFFER_EOS, { type: null });
  }

  function facts(): PlaybackFacts {
    const current = details();
    const live = current?.live ?? false;
    const bufferSeconds = bufferedAhead(video);
    const last = current?.fragments.findLast(({ gap }) => !gap);
    const missingSeconds = last ? last.end - video.currentTime - bufferSeconds : 0;
    const sync = live ? (hls?.liveSyncPosition ?? null) : null;
    const shownAt = hls?.playingDate?.getTime();
    return {
      engine: 'hls.js',
      live,
      level: hls ? nameOf(hls.currentLevel) : '',
      // The first is the choice of one.
      levelSwitches: Math.max(0, levelSwitches),
      levelBps: hls?.levels[hls.currentLevel]?.bitrate ?? 0,
      bandwidthBps: hls?.bandwidthEstimate ?? 0,
      bufferSeconds,
      // Not hls.latency: that goes on counting when nothing new is listed.
      edgeSeconds: live && current ? current.edge - video.currentTime : 0,
      newestSegment: current?.endSN ?? 0,
      missingSeconds: live ? missingSeconds : Number.POSITIVE_INFINITY,
      loadShare: loadShareOf(loads.values(), performance.now()),
      behindSeconds: sync === null ? 0 : sync - video.currentTime,
      holdBackSeconds: hls?.targetLatency ?? 0,
      targetDurationSeconds: current?.targetduration ?? 0,
      ...(shownAt === undefined ? {} : { shownAtMs: shownAt }),
    };
  }

  function stop(): void {
    hls?.destroy();
    hls = undefined;
  }

  return {
    load,
    resume() {
      // Without levels it was the multivariant playlist that failed.
      if (hls?.levels.length) hls.startLoad();
      else hls?.loadSource(address);
    },
    recoverDecoder() {
      hls?.recoverMediaError();
      void video.play().catch(() => undefined);
    },
    facts,
    segments: () => details()?.fragments ?? [],
    positionOf: (instantMs) => positionAt(details()?.fragments ?? [], instantMs),
    instantOf: (position) => instantAt(details()?.fragments ?? [], position),
    startPosition() {
      const current = details();
      return current ? current.fragmentStart + (current.startTimeOffset ?? 0) : undefined;
    },
    seekToEdge() {
      const sync = hls?.liveSyncPosition;
      if (sync !== null && sync !== undefined) video.currentTime = sync;
    },
    selectLevel(id) {
      if (!hls) return;
      hls.nextLevel = id;
      reportTracks();
    },
    selectAudio(id) {
      // Without a pause: what is buffered of the other language is played until the new one is there.
      if (hls) hls.nextAudioTrack = id;
    },
    selectCaptions(id) {
      if (!hls) return;
      chosenCaptions = hls.subtitleTracks[id]?.name ?? '';
      showCaptions(hls, chosenCaptions);
      reportTracks();
    },
    stop,
    destroy: stop,
  };
}

/** -1: none that a viewer chooses. */
const shownCaptions = ({ subtitleTracks, subtitleTrack }: Hls): number =>
  subtitleTracks[subtitleTrack]?.forced ? -1 : subtitleTrack;

const isTimeout = ({ details }: Pick<ErrorData, 'details'>): boolean => details.endsWith('TimeOut');

type Buffers = BufferAppendedData['timeRanges'];

const endOf = (ranges: TimeRanges | undefined): number =>
  ranges && ranges.length > 0 ? ranges.end(ranges.length - 1) : 0;

/** The Network Information API, which TypeScript's DOM library and some browsers do not have. */
type NetworkNavigator = Navigator & Readonly<{ connection?: Readonly<{ downlink?: number }> }>;
