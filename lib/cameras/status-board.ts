/** A line for each camera: redrawn in place on a terminal, elsewhere printed when it changes. */

import type { CameraStatus } from './camera-status.ts';

export type BoardOutput = Readonly<{
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}>;

const INTERVAL_MS = 500;

export class StatusBoard {
  readonly #cameras: readonly CameraStatus[];
  readonly #output: BoardOutput;
  readonly #width: number;
  #shown: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(cameras: readonly CameraStatus[], output: BoardOutput) {
    this.#cameras = cameras;
    this.#output = output;
    this.#width = Math.max(...cameras.map(({ name }) => name.length));
  }

  start(): void {
    this.draw();
    this.#timer = setInterval(() => this.draw(), INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.draw();
  }

  draw(): void {
    if (this.#output.isTTY) this.#redraw();
    else this.#printChanges();
  }

  #redraw(): void {
    const width = Math.max(20, (this.#output.columns ?? 80) - 1);
    const lines = this.#cameras.map(({ name, line }) =>
      `${name.padEnd(this.#width)}  ${line}`.slice(0, width),
    );
    const up = this.#shown.length === 0 ? '' : `\u001b[${this.#shown.length}A`;
    this.#output.write(`${up}${lines.map((line) => `\r\u001b[K${line}\n`).join('')}`);
    this.#shown = lines;
  }

  #printChanges(): void {
    const states = this.#cameras.map(({ state }) => state);
    for (const [index, { name, line }] of this.#cameras.entries()) {
      if (states[index] !== this.#shown[index]) this.#output.write(`${name}: ${line}\n`);
    }
    this.#shown = states;
  }
}
