/** MediaRecorder in place of WebCodecs: its bytes go to the worker, which cuts them. */

import { SEGMENT_SECONDS } from './segment-cutter.ts';

type OnBytes = (bytes: Uint8Array<ArrayBuffer>, startedAtMs: number | undefined) => void;

/** What newer browsers take beside the type. */
type RecorderOptions = MediaRecorderOptions & Readonly<{ videoKeyFrameIntervalDuration: number }>;

export class StudioRecorder {
  readonly #type: string;
  readonly #onBytes: OnBytes;
  #recorder: MediaRecorder | undefined;
  #delivered: Promise<void> = Promise.resolve();

  constructor(type: string, onBytes: OnBytes) {
    this.#type = type;
    this.#onBytes = onBytes;
  }

  /** Begins, or begins again with other tracks: a recorder cannot exchange them. */
  start(tracks: readonly MediaStreamTrack[], bitsPerSecond: number): void {
    void this.stop();
    const options: RecorderOptions = {
      mimeType: this.#type,
      videoBitsPerSecond: bitsPerSecond,
      videoKeyFrameIntervalDuration: 1000 * SEGMENT_SECONDS,
    };
    const recorder = new MediaRecorder(new MediaStream([...tracks]), options);
    this.#recorder = recorder;
    let startedAtMs: number | undefined = Date.now();
    recorder.addEventListener('dataavailable', ({ data }) => {
      this.#delivered = this.#delivered.then(async () => {
        const bytes = new Uint8Array(await data.arrayBuffer());
        if (bytes.length === 0) return;
        this.#onBytes(bytes, startedAtMs);
        startedAtMs = undefined;
      });
    });
    recorder.start(1000 * SEGMENT_SECONDS);
  }

  /** Resolves when its last bytes are delivered. */
  async stop(): Promise<void> {
    const recorder = this.#recorder;
    this.#recorder = undefined;
    if (recorder && recorder.state !== 'inactive') {
      const hasStopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
      recorder.stop();
      await hasStopped;
    }
    await this.#delivered;
  }
}
