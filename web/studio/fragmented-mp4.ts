/**
 * Cuts the fragmented MP4 of a MediaRecorder (ISO/IEC 14496-12, 8.8) into pieces that begin with a keyframe:
 * its chunks do not. Pure.
 */

export type RecordedPiece = Readonly<{
  /** Init segment and fragments. */
  bytes: Uint8Array<ArrayBuffer>;
  /** By the recorder's clock. */
  startSeconds: number;
  durationSeconds: number;
}>;

/** Two seconds of the highest rate have some megabytes. */
const MAX_BOX_BYTES = 64_000_000;
const NON_SYNC = 0x0001_0000;

type Box = Readonly<{ type: string; start: number; bodyStart: number; end: number }>;
type Track = Readonly<{
  id: number;
  timescale: number;
  defaultFlags: number;
  defaultDuration: number;
}>;
type VideoRun = Readonly<{ startsWithKey: boolean; startSeconds: number; endSeconds: number }>;

export class RecordingCutter {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  #init: Uint8Array<ArrayBuffer>[] = [];
  #video: Track | undefined;
  #open: { parts: Uint8Array<ArrayBuffer>[]; startSeconds: number; endSeconds: number } | undefined;

  /** The bytes that follow. Throws Error for what is no MP4. Returns the pieces that are closed by them. */
  push(chunk: Uint8Array<ArrayBuffer>): RecordedPiece[] {
    const bytes = join([this.#rest, chunk]);
    const closed: RecordedPiece[] = [];
    let at = 0;
    for (const box of boxesIn(bytes, 0, bytes.length)) {
      if (box.end > bytes.length) break;
      at = box.end;
      closed.push(...this.#take(bytes, box));
    }
    this.#rest = bytes.slice(at);
    return closed;
  }

  /** The recorder has stopped. */
  finish(): RecordedPiece[] {
    return this.#close(this.#open?.endSeconds ?? 0);
  }

  #take(bytes: Uint8Array<ArrayBuffer>, box: Box): RecordedPiece[] {
    const part = bytes.slice(box.start, box.end);
    if (box.type === 'ftyp' || box.type === 'moov') {
      if (box.type === 'ftyp') this.#init = [];
      this.#init.push(part);
      if (box.type === 'moov') this.#video = videoTrackOf(bytes, box);
      return [];
    }
    if (box.type !== 'moof') {
      this.#open?.parts.push(part);
      return [];
    }
    const run = this.#video && videoRunOf(bytes, box, this.#video);
    const closed = run?.startsWithKey ? this.#close(run.startSeconds) : [];
    if (run?.startsWithKey) this.#open = { parts: [], ...run };
    // What precedes the first keyframe cannot be decoded.
    if (this.#open) {
      this.#open.parts.push(part);
      this.#open.endSeconds = run?.endSeconds ?? this.#open.endSeconds;
    }
    return closed;
  }

  #close(endSeconds: number): RecordedPiece[] {
    if (!this.#open) return [];
    const { parts, startSeconds } = this.#open;
    this.#open = undefined;
    const durationSeconds = endSeconds - startSeconds;
    return [{ bytes: join([...this.#init, ...parts]), startSeconds, durationSeconds }];
  }
}

/** Throws Error for a size that cannot be. The last box may lie behind the end. */
function* boxesIn(bytes: Uint8Array, from: number, to: number): Generator<Box> {
  const view = viewOf(bytes);
  for (let start = from; start + 16 <= to; ) {
    const short = view.getUint32(start);
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    const size = short === 1 ? Number(view.getBigUint64(start + 8)) : short;
    const bodyStart = start + (short === 1 ? 16 : 8);
    if (start + size < bodyStart || size > MAX_BOX_BYTES) {
      throw new Error(`Box ${type} of the recording has a size of ${size} bytes.`);
    }
    yield { type, start, bodyStart, end: start + size };
    start += size;
  }
}

function boxesAt(bytes: Uint8Array, parent: Box, ...path: readonly string[]): Box[] {
  const [type, ...rest] = path;
  const found = [...boxesIn(bytes, parent.bodyStart, parent.end)].filter(
    (box) => box.type === type && box.end <= parent.end,
  );
  return rest.length === 0 ? found : found.flatMap((box) => boxesAt(bytes, box, ...rest));
}

function videoTrackOf(bytes: Uint8Array, moov: Box): Track | undefined {
  const view = viewOf(bytes);
  for (const trak of boxesAt(bytes, moov, 'trak')) {
    const [tkhd] = boxesAt(bytes, trak, 'tkhd');
    const [mdhd] = boxesAt(bytes, trak, 'mdia', 'mdhd');
    const [hdlr] = boxesAt(bytes, trak, 'mdia', 'hdlr');
    if (!tkhd || !mdhd || !hdlr) continue;
    const handler = String.fromCharCode(...bytes.subarray(hdlr.bodyStart + 8, hdlr.bodyStart + 12));
    if (handler !== 'vide') continue;
    const id = view.getUint32(tkhd.bodyStart + (view.getUint8(tkhd.bodyStart) === 1 ? 20 : 12));
    const timescale = view.getUint32(
      mdhd.bodyStart + (view.getUint8(mdhd.bodyStart) === 1 ? 20 : 12),
    );
    const trex = boxesAt(bytes, moov, 'mvex', 'trex').find(
      (box) => view.getUint32(box.bodyStart + 4) === id,
    );
    return {
      id,
      timescale: timescale || 1,
      defaultDuration: trex ? view.getUint32(trex.bodyStart + 12) : 0,
      defaultFlags: trex ? view.getUint32(trex.bodyStart + 20) : 0,
    };
  }
  return undefined;
}

/** The track's samples in one fragment; undefined: there are none. */
function videoRunOf(bytes: Uint8Array, moof: Box, track: Track): VideoRun | undefined {
  const view = viewOf(bytes);
  for (const traf of boxesAt(bytes, moof, 'traf')) {
    const [tfhd] = boxesAt(bytes, traf, 'tfhd');
    const [tfdt] = boxesAt(bytes, traf, 'tfdt');
    if (!tfhd || !tfdt || view.getUint32(tfhd.bodyStart + 4) !== track.id) continue;
    const fields = tfhdFields(view, tfhd, track);
    const startTicks =
      view.getUint8(tfdt.bodyStart) === 1
        ? Number(view.getBigUint64(tfdt.bodyStart + 4))
        : view.getUint32(tfdt.bodyStart + 4);
    const runs = boxesAt(bytes, traf, 'trun').map((trun) => trunFields(view, trun, fields));
    const first = runs.find(({ count }) => count > 0);
    if (!first) continue;
    const ticks = runs.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
    return {
      startsWithKey: (first.firstFlags & NON_SYNC) === 0,
      startSeconds: startTicks / track.timescale,
      endSeconds: (startTicks + ticks) / track.timescale,
    };
  }
  return undefined;
}

type Defaults = Readonly<{ duration: number; flags: number }>;

/** 8.8.7: which optional fields there are, the flags of the box say. */
function tfhdFields(view: DataView, tfhd: Box, track: Track): Defaults {
  const has = view.getUint32(tfhd.bodyStart) & 0xff_ffff;
  let at = tfhd.bodyStart + 8 + (has & 0x01 ? 8 : 0) + (has & 0x02 ? 4 : 0);
  const next = (bit: number, otherwise: number): number => {
    if (!(has & bit)) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  const duration = next(0x08, track.defaultDuration);
  next(0x10, 0);
  return { duration, flags: next(0x20, track.defaultFlags) };
}

/** 8.8.8. Throws Error for more samples than the box has room for. */
function trunFields(view: DataView, trun: Box, defaults: Defaults) {
  const has = view.getUint32(trun.bodyStart) & 0xff_ffff;
  const count = view.getUint32(trun.bodyStart + 4);
  let at = trun.bodyStart + 8 + (has & 0x01 ? 4 : 0);
  const ownFirstFlags = has & 0x04 ? view.getUint32(at) : undefined;
  if (has & 0x04) at += 4;
  const entryBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter((bit) => has & bit).length;
  if (at + count * entryBytes > trun.end || count > MAX_BOX_BYTES) {
    throw new Error(`A fragment of the recording speaks of ${count} samples.`);
  }
  const flagsAt = at + (has & 0x100 ? 4 : 0) + (has & 0x200 ? 4 : 0);
  const firstFlags =
    ownFirstFlags ?? (has & 0x400 && count > 0 ? view.getUint32(flagsAt) : defaults.flags);
  let durationTicks = has & 0x100 ? 0 : count * defaults.duration;
  if (has & 0x100) {
    for (let index = 0; index < count; index += 1) {
      durationTicks += view.getUint32(at + index * entryBytes);
    }
  }
  return { count, firstFlags, durationTicks };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
