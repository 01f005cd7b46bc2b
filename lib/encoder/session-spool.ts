/**
 * The segments of one session on disk, from the moment they are cut until their receipts have come.
 *
 * `waiting/` holds what is to be sent, `sent/` the newest of what was sent, in case a receipt reports
 * one as missing; what the server refused goes to the `rejected/` folder of the stream.
 */

import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiError } from '../api/client.ts';
import { defined } from '../base/defined.ts';
import { keepRefused, moveDurably } from './spool.ts';

export type SpooledSegment = Readonly<{
  number: number;
  /** Absent for a segment whose encoder died before the playlist that has it. */
  durationSeconds?: number;
  sizeBytes: number;
  path: string;
  /** When it ended: the file's time of modification. */
  spooledAtMs: number;
}>;

export type SessionInfo = Readonly<{
  session: string;
  createdAtMs: number;
  /** Its segments lasted as long as it took to cut them, so that their wall-clock times are known. */
  isLive?: true;
  /** A file's, counted from the start of the stream: by the server's clock. */
  countsFromStart?: true;
}>;

/** Sent segments that are kept to be sent again: the newest, as long as both limits allow. */
const KEPT_SEGMENTS = 16;
const KEPT_BYTES = 64_000_000;

const INFO_FILE = 'session.json';

export class SessionSpool {
  readonly info: SessionInfo;
  readonly #streamFolder: string;
  readonly #folder: string;
  readonly #sent = new Map<number, SpooledSegment>();

  constructor(streamFolder: string, info: SessionInfo) {
    this.info = info;
    this.#streamFolder = streamFolder;
    this.#folder = sessionFolder(streamFolder, info.session);
  }

  /** For a capture's unfinished files. */
  get cutFolder(): string {
    return join(this.#folder, 'cut');
  }

  /** Creates the session, or opens it with what waits in it. */
  async open(): Promise<SpooledSegment[]> {
    for (const part of ['cut', 'waiting', 'sent']) {
      await mkdir(join(this.#folder, part), { recursive: true });
    }
    const infoFile = join(this.#folder, INFO_FILE);
    await writeFile(`${infoFile}.new`, JSON.stringify(this.info), { flush: true });
    await rename(`${infoFile}.new`, infoFile);
    for (const segment of await listSegments(join(this.#folder, 'sent'))) {
      this.#sent.set(segment.number, segment);
    }
    return listSegments(join(this.#folder, 'waiting'));
  }

  /** Adds segments that were complete, but not yet in the spool, when the encoder died. */
  async adoptCut(known: ReadonlySet<number>): Promise<SpooledSegment[]> {
    const adopted: SpooledSegment[] = [];
    let number = Math.max(-1, ...known, ...this.#sent.keys());
    const cut = (await readdir(this.cutFolder)).filter((name) => /^\d+\.ts$/.test(name));
    // ffmpeg's numbers may be higher than the session's, as very short segments were joined to others.
    for (const name of cut.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
      number += 1;
      adopted.push(await this.add(number, undefined, join(this.cutFolder, name)));
    }
    return adopted;
  }

  /** Takes over the file at `path`. `endMs`: its wall-clock time, if it is not that of the file. */
  async add(
    number: number,
    durationSeconds: number | undefined,
    path: string,
    endMs?: number,
  ): Promise<SpooledSegment> {
    const target = join(this.#folder, 'waiting', segmentFile(number, durationSeconds));
    if (endMs !== undefined) await utimes(path, new Date(endMs), new Date(endMs));
    await moveDurably(path, target);
    return describeSegment(target, number, durationSeconds);
  }

  /** Called when its receipt has come. */
  async markSent(segment: SpooledSegment): Promise<void> {
    const path = join(this.#folder, 'sent', segmentFile(segment.number, segment.durationSeconds));
    await rename(segment.path, path);
    this.#sent.delete(segment.number);
    this.#sent.set(segment.number, { ...segment, path });
    let bytes = 0;
    for (const kept of this.#sent.values()) bytes += kept.sizeBytes;
    for (const oldest of this.#sent.values()) {
      if (this.#sent.size <= KEPT_SEGMENTS && bytes <= KEPT_BYTES) break;
      this.#sent.delete(oldest.number);
      bytes -= oldest.sizeBytes;
      await rm(oldest.path, { force: true });
    }
  }

  /** A sent segment is to be sent again; undefined if it is no longer kept. */
  async recall(number: number): Promise<SpooledSegment | undefined> {
    const segment = this.#sent.get(number);
    if (!segment) return undefined;
    this.#sent.delete(number);
    return this.add(number, segment.durationSeconds, segment.path);
  }

  /** Sets a refused segment aside, with the reason beside it. Returns a warning about it. */
  async reject(segment: SpooledSegment, reason: ApiError): Promise<string> {
    const { number, durationSeconds, path } = segment;
    const { session } = this.info;
    const name = `${encodeURIComponent(session)}-${padded(number)}`;
    const kept = join(this.#streamFolder, 'rejected', name);
    const item = { session, number, durationSeconds };
    return `Segment ${number} ${await keepRefused(path, `${kept}.ts`, `${kept}.json`, item, reason)}`;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Sessions of earlier runs, oldest first. */
export async function findSessions(streamFolder: string): Promise<SessionInfo[]> {
  const folder = join(streamFolder, 'sessions');
  const sessions: SessionInfo[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    try {
      sessions.push(JSON.parse(await readFile(join(folder, name, INFO_FILE), 'utf8')));
    } catch {
      // Its encoder died before the first segment was spooled: nothing to keep.
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
  return sessions.sort((a, b) => a.createdAtMs - b.createdAtMs);
}

const sessionFolder = (streamFolder: string, session: string): string =>
  join(streamFolder, 'sessions', encodeURIComponent(session));

const padded = (number: number): string => String(number).padStart(10, '0');

/** Number and duration are in the name, so that one rename stores them with the bytes. */
const segmentFile = (number: number, durationSeconds: number | undefined): string =>
  `${padded(number)}-${durationSeconds === undefined ? 'x' : Math.round(durationSeconds * 1e6)}.ts`;

async function listSegments(folder: string): Promise<SpooledSegment[]> {
  const segments: SpooledSegment[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const [, number, micros] = name.match(/^(\d{10,})-(\d+|x)\.ts$/) ?? [];
    if (number === undefined || micros === undefined) continue;
    const seconds = micros === 'x' ? undefined : Number(micros) / 1e6;
    segments.push(await describeSegment(join(folder, name), Number(number), seconds));
  }
  return segments;
}

async function describeSegment(
  path: string,
  number: number,
  durationSeconds: number | undefined,
): Promise<SpooledSegment> {
  const { size, mtimeMs } = await stat(path);
  return { number, ...defined({ durationSeconds }), sizeBytes: size, path, spooledAtMs: mtimeMs };
}
