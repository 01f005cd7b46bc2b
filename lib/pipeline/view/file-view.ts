/** A whole file as the API shows it. */

import type { FileView, StreamView } from '../../api/messages.ts';
import { defined } from '../../base/defined.ts';
import type { Stream } from '../../domain/stream.ts';
import type { UploadedFile } from '../../domain/uploaded-file.ts';
import type { Deps } from '../deps.ts';
import { findUploadedFile } from '../records/uploaded-file-records.ts';

export const fileView = (file: UploadedFile): FileView => {
  const { name, sizeBytes, state, storedBytes, durationSeconds, cut, notices, failure } = file;
  return {
    ...{ name, sizeBytes, state, storedBytes, cutSeconds: cut?.seconds ?? 0 },
    ...defined({ durationSeconds, notices, failure }),
  };
};

/** Empty for a stream without one. */
export async function fileOf(
  deps: Pick<Deps, 'store'>,
  stream: Stream,
): Promise<Pick<StreamView, 'file'>> {
  const found = await findUploadedFile(deps, stream);
  return found ? { file: fileView(found.value) } : {};
}
