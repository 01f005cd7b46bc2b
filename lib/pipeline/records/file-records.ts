/** Records of files that viewers have asked for and that jobs make; one that is made has none. */

import type { DomainError } from '../../domain/errors.ts';
import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { find, put } from './record-access.ts';
import { partitionOf } from './record-keys.ts';
import type { Versioned } from './record-types.ts';

/** A file whose job waits or runs. */
export type FileRequest = Readonly<{
  queuedAtMs: number;
  /** From 0 to 1. */
  progress: number;
}>;

/** Why a file was not made, for requests until then. */
export type FileFailure = Pick<DomainError, 'code' | 'message' | 'hint'> &
  Readonly<{ untilMs: number }>;

type Store = Readonly<{ store: RecordStore }>;

const requestSort = (key: string): string => `file-request/${key}`;
const failureSort = (key: string): string => `file-failure/${key}`;

export const findFileRequest = (
  { store }: Store,
  stream: StreamIdentity,
  key: string,
): Promise<Versioned<FileRequest> | undefined> =>
  find<FileRequest>(store, partitionOf(stream), requestSort(key));

/** At most `limit` of the files whose jobs wait or run, or were lost. */
export async function listFileRequests(
  { store }: Store,
  stream: StreamIdentity,
  limit: number,
): Promise<Readonly<{ key: string; request: FileRequest }>[]> {
  const range = { from: requestSort(''), to: requestSort('~'), limit };
  const items = await store.query(partitionOf(stream), range);
  return items.map(({ sort, value }) => ({
    key: sort.slice(requestSort('').length),
    request: value as FileRequest,
  }));
}

/** `version` 0: there must be none yet. false if another process has written it since it was read. */
export const putFileRequest = (
  { store }: Store,
  stream: StreamIdentity,
  key: string,
  request: FileRequest,
  version: number,
): Promise<boolean> => store.write([put(partitionOf(stream), requestSort(key), request, version)]);

export const findFileFailure = async (
  { store }: Store,
  stream: StreamIdentity,
  key: string,
): Promise<FileFailure | undefined> =>
  (await find<FileFailure>(store, partitionOf(stream), failureSort(key)))?.value;

/** The job has ended; `failure`: without the file. */
export async function endFileRequest(
  { store }: Store,
  stream: StreamIdentity,
  key: string,
  failure?: FileFailure,
): Promise<void> {
  const partition = partitionOf(stream);
  await store.write([
    { type: 'delete', partition, sort: requestSort(key) },
    ...(failure
      ? [{ ...put(partition, failureSort(key), failure), expiresAtMs: failure.untilMs }]
      : []),
  ]);
}
