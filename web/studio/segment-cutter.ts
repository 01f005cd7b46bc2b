/** Cuts encoded pictures and sound into segments of one group of pictures each. Pure. */

export const SEGMENT_SECONDS = 2;
const SEGMENT_US = SEGMENT_SECONDS * 1_000_000;

/** How long a segment waits for sound that does not come. */
const SOUND_TIMEOUT_MS = 500;

/** Says which frames are to be keyframes: the first at or after each multiple of a segment's duration. */
export class KeyframeSchedule {
  #last = Number.NEGATIVE_INFINITY;

  isDue(timeUs: number): boolean {
    return indexOf(timeUs) > this.#last;
  }

  /** A keyframe was asked for at this time. */
  taken(timeUs: number): void {
    this.#last = indexOf(timeUs);
  }
}

/** Of the segment that a frame of this time belongs to. */
const indexOf = (timeUs: number): number => Math.floor(timeUs / SEGMENT_US);

/** `isFirst`: of an encoder that has begun anew, maybe with other parameter sets. */
type VideoPacket = Readonly<{ timeUs: number; isKey: boolean; isFirst?: boolean }>;
type AudioPacket = Readonly<{ timeUs: number; durationUs: number }>;

/** Times in microseconds. Each frame lasts until the next, the last one until the keyframe behind it. */
export type CutSegment<Video, Audio> = Readonly<{
  startUs: number;
  endUs: number;
  video: readonly Readonly<{ packet: Video; durationUs: number }>[];
  audio: readonly Audio[];
}>;

/** Packets come in the order of their times. What is closed and complete is returned by each call. */
export class SegmentCutter<Video extends VideoPacket, Audio extends AudioPacket> {
  readonly #hasSound: boolean;
  #open: Video[] = [];
  #waiting: { frames: readonly Video[]; endUs: number; dueMs: number }[] = [];
  #audio: Audio[] = [];
  #soundEndUs = Number.NEGATIVE_INFINITY;
  #hasCut = false;

  /** `hasSound`: a segment waits until sound has reached its end, or for a time-out. */
  constructor(hasSound: boolean) {
    this.#hasSound = hasSound;
  }

  addVideo(packet: Video, nowMs: number): CutSegment<Video, Audio>[] {
    if (this.#beginsSegment(packet)) this.#close(packet.timeUs, nowMs);
    // What precedes the first keyframe cannot be decoded.
    if (packet.isKey || this.#open.length > 0) this.#open.push(packet);
    return this.tick(nowMs);
  }

  addAudio(packet: Audio, nowMs: number): CutSegment<Video, Audio>[] {
    this.#audio.push(packet);
    this.#soundEndUs = packet.timeUs + packet.durationUs;
    return this.tick(nowMs);
  }

  /** Time has passed. */
  tick(nowMs: number): CutSegment<Video, Audio>[] {
    const closed: CutSegment<Video, Audio>[] = [];
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const isComplete = !this.#hasSound || this.#soundEndUs >= next.endUs;
      if (!isComplete && nowMs < next.dueMs) break;
      this.#waiting.shift();
      closed.push(this.#cut(next.frames, next.endUs));
    }
    return closed;
  }

  /** Nothing more comes; the last frame ends at `endUs`. */
  finish(endUs: number): CutSegment<Video, Audio>[] {
    this.#close(Math.max(endUs, (this.#open.at(-1)?.timeUs ?? 0) + 1000), 0);
    return this.tick(Number.POSITIVE_INFINITY);
  }

  /** An encoder makes keyframes of its own where the scene changes: these cut nothing. */
  #beginsSegment({ timeUs, isKey, isFirst = false }: Video): boolean {
    const [first] = this.#open;
    return isKey && (isFirst || first === undefined || indexOf(timeUs) > indexOf(first.timeUs));
  }

  #close(endUs: number, nowMs: number): void {
    if (this.#open.length === 0) return;
    this.#waiting.push({ frames: this.#open, endUs, dueMs: nowMs + SOUND_TIMEOUT_MS });
    this.#open = [];
  }

  #cut(frames: readonly Video[], endUs: number): CutSegment<Video, Audio> {
    const startUs = frames[0]?.timeUs ?? endUs;
    const video = frames.map((packet, index) => ({
      packet,
      durationUs: (frames[index + 1]?.timeUs ?? endUs) - packet.timeUs,
    }));
    const isFirst = !this.#hasCut;
    this.#hasCut = true;
    const audio = this.#audio.filter(
      ({ timeUs, durationUs }) => timeUs < endUs && !(isFirst && timeUs + durationUs <= startUs),
    );
    this.#audio = this.#audio.filter(({ timeUs }) => timeUs >= endUs);
    return { startUs, endUs, video, audio };
  }
}
