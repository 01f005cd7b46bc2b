/** Sends a whole file in parts, for the encoder and the pages alike. What is on the server already is not sent. */

import type { ApiClient } from './client.ts';
import type { FileView } from './messages.ts';

export type FileToSend = Readonly<{
  videoId: string;
  name: string;
  sizeBytes: number;
  /** Bytes from `start` up to `end`. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}>;

export type SendFileOptions = Readonly<{
  /** Parts at once. */
  parallel: number;
  signal: AbortSignal;
  /** Repeats a call as often as the caller wants. */
  call<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Told of bytes that are on the server, by whole parts. */
  onProgress(storedBytes: number): void;
}>;

/**
 * The file as the server has it when all of it is there. Throws what `call` throws: `ApiError` when the
 * server refuses the file, or has found what is wrong with it.
 */
export async function sendFile(
  api: Pick<ApiClient, 'requestFileUpload' | 'putPart'>,
  file: FileToSend,
  { parallel, signal, call, onProgress }: SendFileOptions,
): Promise<FileView> {
  const { videoId, name, sizeBytes } = file;
  for (;;) {
    const answer = await call((signal) =>
      api.requestFileUpload(videoId, { name, sizeBytes }, { signal }),
    );
    const { upload } = answer;
    if (!upload) {
      onProgress(sizeBytes);
      return answer.file;
    }
    const { parts, missingParts, missing, partBytes } = upload;
    let storedBytes = Math.min(sizeBytes, (parts - missingParts) * partBytes);
    onProgress(storedBytes);
    const left = [...missing];
    const sendParts = async (): Promise<void> => {
      for (let part = left.shift(); part; part = left.shift()) {
        signal.throwIfAborted();
        const { offset } = part;
        const bytes = await file.read(offset, offset + part.sizeBytes);
        const one = part;
        await call((signal) => api.putPart(one, bytes, { signal }));
        storedBytes = Math.min(sizeBytes, storedBytes + part.sizeBytes);
        onProgress(storedBytes);
      }
    };
    await Promise.all(Array.from({ length: parallel }, sendParts));
  }
}
