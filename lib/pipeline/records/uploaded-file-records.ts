/** The record of a whole file that somebody uploads: one for a stream at a time, the newest. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { UploadedFile } from '../../domain/uploaded-file.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { find, put } from './record-access.ts';
import { partitionOf } from './record-keys.ts';
import type { Versioned } from './record-types.ts';

type Store = Readonly<{ store: RecordStore }>;

const SORT = 'uploaded-file';

export const findUploadedFile = (
  { store }: Store,
  stream: StreamIdentity,
): Promise<Versioned<UploadedFile> | undefined> =>
  find<UploadedFile>(store, partitionOf(stream), SORT);

/** `version` 0: there must be none yet. false if another process has written it since it was read. */
export const putUploadedFile = (
  { store }: Store,
  stream: StreamIdentity,
  file: UploadedFile,
  version: number,
): Promise<boolean> => store.write([put(partitionOf(stream), SORT, file, version)]);

/** Changes the record of this file; undefined: there is another by now, or none. */
export async function changeUploadedFile(
  deps: Store,
  stream: StreamIdentity,
  fileId: number,
  change: (file: UploadedFile) => UploadedFile,
): Promise<UploadedFile | undefined> {
  for (;;) {
    const found = await findUploadedFile(deps, stream);
    if (found?.value.fileId !== fileId) return undefined;
    const changed = change(found.value);
    if (changed === found.value) return changed;
    if (await putUploadedFile(deps, stream, changed, found.version)) return changed;
  }
}
