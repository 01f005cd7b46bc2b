/** A queue that keeps what is sent, and says it has what it is told to have. */

import type { QueueMessage, WorkQueue } from '../../lib/ports/ports.ts';

export type MemoryQueue = WorkQueue & {
  readonly sent: QueueMessage[];
  counts: { ready: number; inFlight: number; delayed: number };
};

export function memoryQueue(): MemoryQueue {
  const sent: QueueMessage[] = [];
  return {
    sent,
    counts: { ready: 0, inFlight: 0, delayed: 0 },
    send: async (messages) => void sent.push(...messages),
    receive: async () => [],
    extend: async () => true,
    acknowledge: async () => {},
    release: async () => {},
    async depth() {
      return this.counts;
    },
  };
}
