/** A worker for AWS as a process of the test's own, however it was started. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Scope } from '../support/system.ts';

export type WorkerProcess = Readonly<{
  /** All that it has printed. */
  output(): string;
  hasEnded(): boolean;
  /** As ECS stops a task. Throws if it did not end by itself, with code 0. */
  stop(): Promise<void>;
}>;

/** Ends with the scope. */
export function watchWorker(scope: Scope, child: ChildProcess): WorkerProcess {
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (piece) => {
      printed += piece;
    });
  }
  const ended = once(child, 'exit');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  scope.after(async () => {
    if (!hasEnded()) child.kill('SIGKILL');
    await ended;
  });
  return {
    output: () => printed,
    hasEnded,
    stop: async () => {
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null], printed);
    },
  };
}
