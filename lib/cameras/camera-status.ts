/** What one camera does, in one line. */

import { Progress, type ProgressOptions } from '../encoder/progress.ts';
import { withoutControlCharacters } from './printable-text.ts';

const MAX_TEXT = 300;

export class CameraStatus {
  readonly name: string;
  #progress: Progress | undefined;
  /** The newest warning, and how many segments had been sent when it came. */
  #trouble: Readonly<{ text: string; segments: number }> | undefined;
  #end: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** For the encoder: its figures and warnings are the camera's. */
  readonly startProgress = (options: ProgressOptions): Progress => {
    this.#end = undefined;
    this.#trouble = undefined;
    this.#progress = new Progress({
      ...options,
      quiet: true,
      output: { write: (text: string) => this.warn(text) },
    });
    return this.#progress;
  };

  get segments(): number {
    return this.#progress?.segments ?? 0;
  }

  /** Until the next segment was sent. */
  warn(text: string): void {
    const line = withoutControlCharacters(text).trim().slice(0, MAX_TEXT);
    if (line !== '') this.#trouble = { text: line, segments: this.segments };
  }

  /** The encoder has ended: nothing more is sent until it is started again. */
  end(text: string): void {
    this.#end = text;
  }

  /** Why nothing is sent; undefined while all is well. */
  get trouble(): string | undefined {
    const trouble = this.#trouble;
    return trouble && trouble.segments >= this.segments ? trouble.text : undefined;
  }

  /** Changes when the camera's state does. */
  get state(): string {
    return this.#end ?? this.trouble ?? (this.segments > 0 ? 'sending' : 'connecting');
  }

  /** The state, while sending with figures. */
  get line(): string {
    const figures = this.state === 'sending' ? this.#progress?.line() : undefined;
    // Without the encoder's own label.
    return figures?.replace(/^[^:]*: /, '') ?? this.state;
  }
}
