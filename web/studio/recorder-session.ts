/** One broadcast by MediaRecorder: what it records becomes segments, in a worker. */

import { type RecordedPiece, RecordingCutter } from './fragmented-mp4.ts';
import { type SpooledSegment, sessionName } from './segment-store.ts';

type OnSegment = (segment: SpooledSegment, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/** Another recorder, as after a change of devices, has another header and clock: another encoder run. */
export class RecorderSession {
  readonly #onSegment: OnSegment;
  #cutter = new RecordingCutter();
  #session = '';
  #startedAtMs = 0;
  #number = 0;
  #stored: Promise<void> = Promise.resolve();

  constructor(onSegment: OnSegment) {
    this.#onSegment = onSegment;
  }

  /** `startedAtMs`: these are the first bytes of a recorder. Throws Error for what is no MP4. */
  take(bytes: Uint8Array<ArrayBuffer>, startedAtMs?: number): void {
    if (startedAtMs !== undefined) {
      this.#store(this.#cutter.finish());
      this.#cutter = new RecordingCutter();
      this.#session = sessionName(startedAtMs, Math.random().toString(36).slice(2, 8));
      this.#startedAtMs = startedAtMs;
      this.#number = 0;
    }
    this.#store(this.#cutter.push(bytes));
  }

  async stop(): Promise<void> {
    this.#store(this.#cutter.finish());
    await this.#stored;
  }

  #store(pieces: readonly RecordedPiece[]): void {
    for (const { bytes, startSeconds, durationSeconds } of pieces) {
      const segment = {
        session: this.#session,
        number: this.#number,
        atMs: Math.round(this.#startedAtMs + 1000 * startSeconds),
        durationSeconds,
        sizeBytes: bytes.length,
      };
      this.#number += 1;
      this.#stored = this.#stored.then(() => this.#onSegment(segment, bytes));
    }
  }
}
