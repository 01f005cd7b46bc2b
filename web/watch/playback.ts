/** What the page needs from a player, be it hls.js or the browser's own. */

import type { ViewingEvent } from './viewing.ts';

export type Track = Readonly<{ id: number; name: string }>;

export type Tracks = Readonly<{
  /** Best first. */
  levels: readonly Track[];
  /** -1: chosen by the player. */
  selectedLevel: number;
  audio: readonly Track[];
  selectedAudio: number;
  /** Without forced ones, which no viewer chooses. */
  captions: readonly Track[];
  /** -1: none. */
  selectedCaptions: number;
}>;

export type PlaybackFacts = Readonly<{
  engine: 'hls.js' | 'native';
  live: boolean;
  /** Name of the rung on the screen; empty when not known. */
  level: string;
  levelBps: number;
  /** Times that the rung on the screen has changed since the page was loaded. */
  levelSwitches: number;
  bandwidthBps: number;
  bufferSeconds: number;
  /** From the position to the end of the newest segment. */
  edgeSeconds: number;
  /** Grows whenever a live playlist does. */
  newestSegment: number;
  /** Published media ahead of the position that is not buffered, gaps at the end left out; of a recording: Infinity. */
  missingSeconds: number;
  /** How long the last segments took to arrive, as a share of their duration; 0 when not known. */
  loadShare: number;
  /** From the position to the one that live playback aims at. */
  behindSeconds: number;
  /** How far from the newest segment live playback aims to be. */
  holdBackSeconds: number;
  targetDurationSeconds: number;
  /** When the picture on the screen was captured, by EXT-X-PROGRAM-DATE-TIME; Unix time. */
  shownAtMs?: number;
}>;

export type LoadOptions = Readonly<{
  /** `same`: the current position, by the wall clock or, when the stream has ended, from its end. */
  at: 'default' | 'same' | 'start';
  paused: boolean;
}>;

export type PlaybackListener = Readonly<{
  event(event: ViewingEvent): void;
  tracks(tracks: Tracks): void;
}>;

export type Playback = Readonly<{
  load(url: string, options: LoadOptions): void;
  /** Goes on loading after an error had stopped it. */
  resume(): void;
  recoverDecoder(): void;
  facts(): PlaybackFacts;
  /** Position of an instant of the stream's wall clock; undefined: it is not in the playlist. */
  positionOf(instantMs: number): number | undefined;
  /** The instant at a position; undefined: the playlist does not have it. */
  instantOf(position: number): number | undefined;
  /** Where the playlist says to begin (EXT-X-START); undefined: not known. */
  startPosition(): number | undefined;
  seekToEdge(): void;
  selectLevel(id: number): void;
  selectAudio(id: number): void;
  /** -1: none, but for forced ones in the language of the audio. */
  selectCaptions(id: number): void;
  /** Plays and loads nothing until the next `load`. */
  stop(): void;
  destroy(): void;
}>;

/** Starts with audio if the browser allows it, else muted. False: the browser allows neither. */
export async function startPlaying(video: HTMLVideoElement): Promise<boolean> {
  const plays = (): Promise<boolean> => video.play().then(() => true, isNotForbidden);
  if (await plays()) return true;
  if (video.muted) return false;
  video.muted = true;
  return plays();
}

/** `play()` also rejects when a new load interrupts it; that load then starts playback itself. */
const isNotForbidden = (error: unknown): boolean =>
  !(error instanceof DOMException && error.name === 'NotAllowedError');

/** Seconds that are buffered without a gap ahead of the position. */
export function bufferedAhead(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) > currentTime) {
      return buffered.end(index) - currentTime;
    }
  }
  return 0;
}
