/** Both ends of a thread: what is asked of it, what it answers, and the loop inside it that does the tasks. */

import { parentPort } from 'node:worker_threads';
import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import { shortened } from '../../domain/notice.ts';

/** Arguments and results are structured clones: bytes and plain objects, no functions. */
export type Tasks = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

export type TaskCall = Readonly<{ name: string; args: readonly unknown[] }>;

export type TaskReply =
  | Readonly<{ type: 'ready' }>
  | Readonly<{ type: 'result'; result: unknown }>
  | Readonly<{ type: 'refused'; code: ErrorCode; message: string; hint: string }>
  /** Anything else that was thrown. */
  | Readonly<{ type: 'fault'; stack: string }>;

/** The whole of a thread's module: does one task after the other. */
export function serveTasks(tasks: Tasks): void {
  const port = parentPort;
  if (!port) throw new Error('Tasks are served in a worker thread.');
  port.on('message', async ({ name, args }: TaskCall) => {
    const reply = await answer(tasks, name, args);
    const result = reply.type === 'result' ? reply.result : undefined;
    const isWhole = result instanceof Uint8Array && result.byteLength === result.buffer.byteLength;
    port.postMessage(reply, isWhole ? [result.buffer as ArrayBuffer] : []);
  });
  port.postMessage({ type: 'ready' } satisfies TaskReply);
}

async function answer(tasks: Tasks, name: string, args: readonly unknown[]): Promise<TaskReply> {
  try {
    return { type: 'result', result: await tasks[name]?.(...(args as never[])) };
  } catch (error) {
    if (error instanceof DomainError) {
      const { code, message, hint } = error;
      return { type: 'refused', code, message: shortened(message), hint };
    }
    return { type: 'fault', stack: error instanceof Error ? String(error.stack) : String(error) };
  }
}

/** The same value with copies of all bytes in it, and the copies, to be transferred. */
export function copyBytes(value: unknown, copies: ArrayBuffer[] = []): [unknown, ArrayBuffer[]] {
  const copyOf = (part: unknown): unknown => {
    if (part instanceof Uint8Array) {
      const copy = new Uint8Array(part);
      copies.push(copy.buffer);
      return copy;
    }
    if (Array.isArray(part)) return part.map(copyOf);
    if (!isPlainObject(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, copyOf(inner)]));
  };
  return [copyOf(value), copies];
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

export const sizeOf = (value: unknown): number =>
  value instanceof Uint8Array
    ? value.byteLength
    : typeof value === 'object' && value !== null
      ? Object.values(value).reduce((sum, part) => sum + sizeOf(part), 0)
      : 0;
