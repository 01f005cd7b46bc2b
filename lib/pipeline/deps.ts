/** What every step is given: the ports, typed access to the records, and the deployment's own settings. */

import type { StreamSettings } from '../domain/stream.ts';
import type { InspectionTasks } from '../media/threads/inspection-thread.ts';
import type { RemuxTasks } from '../media/threads/remux-thread.ts';
import type { TaskRunner } from '../media/threads/thread-pool.ts';
import type { Ports } from '../ports/ports.ts';
import { StreamRecords } from './records/stream-records.ts';

export type Deps = Ports &
  Readonly<{
    records: StreamRecords;
    /** Recordings with more entries are long (`isLongRecording`). For tests. */
    longEntries?: number;
    /** Reads what encoders upload. */
    inspection: TaskRunner<InspectionTasks>;
    /** Joins what viewers download. */
    remuxing: TaskRunner<RemuxTasks>;
    /** sha-256 of the owner key, hex. */
    ownerKeyHash: string;
    /** How many watch a stream live; absent where nothing counts them. */
    viewersOf?(videoId: string): number;
    /** Settings of streams whose owner sets none; they take precedence over the built-in defaults. */
    streamDefaults?: Partial<StreamSettings>;
  }>;

/** What a worker needs; it serves no requests and starts no other workers. */
export type WorkerDeps = Omit<
  Deps,
  'ownerKeyHash' | 'fleet' | 'viewersOf' | 'inspection' | 'remuxing'
>;

/** What takes segments: uploads, and the jobs that cut whole files. */
export type IngestDeps = WorkerDeps & Pick<Deps, 'inspection'>;

export const withRecords = <Given extends Pick<Ports, 'store'>>(
  ports: Given,
): Given & Readonly<{ records: StreamRecords }> => ({
  ...ports,
  records: new StreamRecords(ports.store),
});
