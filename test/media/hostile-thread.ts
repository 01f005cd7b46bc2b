/** Module of a thread whose tasks do what hostile bytes might make a parser do. */

import { DomainError } from '../../lib/domain/errors.ts';
import { serveTasks } from '../../lib/media/threads/tasks.ts';

const KEEP: unknown[] = [];

const TASKS = {
  count: async (bytes: Uint8Array, more: { init?: Uint8Array } = {}) =>
    bytes.byteLength + (more.init?.byteLength ?? 0),
  reverse: async (bytes: Uint8Array) => bytes.toReversed(),
  async spin() {
    for (;;) KEEP.length = 0;
  },
  wait: () => new Promise<never>(() => undefined),
  async hoardObjects() {
    for (;;) KEEP.push({ one: { of: KEEP.length } });
  },
  async hoardBuffers() {
    for (;;) KEEP.push(new Uint8Array(100_000).fill(1));
  },
  async refuse() {
    throw new DomainError('no_keyframe', 'The message.', 'The hint.');
  },
  async refuseAtLength() {
    throw new DomainError('undecodable', 'endless '.repeat(1_000_000), 'The hint.');
  },
  async fail() {
    throw new TypeError('Something of the parser is undefined.');
  },
  async overflow(): Promise<number> {
    const deep = (): number => deep() + 1;
    return deep();
  },
  async leave() {
    process.exit(7);
  },
  /** Holds the thread until the first number of `gate` is no longer 0. */
  async hold(gate: SharedArrayBuffer) {
    Atomics.wait(new Int32Array(gate), 0, 0);
  },
};
export type HostileTasks = typeof TASKS;

serveTasks(TASKS);
