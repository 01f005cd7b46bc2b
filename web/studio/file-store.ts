/** Segments in the browser's private file system (OPFS), one file each; in a worker alone. */

import {
  fileNameOf,
  inSendingOrder,
  memoryStore,
  type SegmentStore,
  type SpooledSegment,
  segmentOfFile,
} from './segment-store.ts';

/** What workers have, and the types of windows do not. */
type WorkerFile = FileSystemFileHandle &
  Readonly<{
    createSyncAccessHandle?(): Promise<
      Readonly<{
        write(bytes: Uint8Array, options: Readonly<{ at: number }>): number;
        truncate(size: number): void;
        flush(): void;
        close(): void;
      }>
    >;
  }>;

const FOLDER = 'rivulet-studio';

/** Of this stream. Where there is no such file system, as in private windows: memory. */
export async function openFileStore(videoId: string): Promise<SegmentStore> {
  try {
    const root = await navigator.storage.getDirectory();
    const studio = await root.getDirectoryHandle(FOLDER, { create: true });
    const folder = await studio.getDirectoryHandle(encodeURIComponent(videoId), { create: true });
    const probe: WorkerFile = await folder.getFileHandle('probe', { create: true });
    await folder.removeEntry('probe');
    return probe.createSyncAccessHandle ? filesIn(folder) : memoryStore();
  } catch {
    return memoryStore();
  }
}

function filesIn(folder: FileSystemDirectoryHandle): SegmentStore {
  const sessionFolder = (session: string): Promise<FileSystemDirectoryHandle> =>
    folder.getDirectoryHandle(session, { create: true });
  return {
    async store(segment, bytes) {
      const session = await sessionFolder(segment.session);
      const name = fileNameOf(segment);
      const file: WorkerFile = await session.getFileHandle(name, { create: true });
      const access = await file.createSyncAccessHandle?.();
      try {
        access?.truncate(0);
        const written = access?.write(bytes, { at: 0 });
        if (written !== bytes.length) throw new DOMException('no room', 'QuotaExceededError');
        access?.flush();
      } catch (error) {
        access?.close();
        await session.removeEntry(name).catch(() => undefined);
        throw error;
      }
      access?.close();
    },
    async read(segment) {
      try {
        const session = await sessionFolder(segment.session);
        const file = await (await session.getFileHandle(fileNameOf(segment))).getFile();
        return new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async remove(segment) {
      const session = await sessionFolder(segment.session);
      await session.removeEntry(fileNameOf(segment)).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
    list: () => listFiles(folder),
  };
}

const isNotFound = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'NotFoundError';

/** Removes what is torn, and sessions of which nothing is left. */
async function listFiles(folder: FileSystemDirectoryHandle): Promise<readonly SpooledSegment[]> {
  const found: SpooledSegment[] = [];
  for (const session of await entriesOf(folder)) {
    if (!(session instanceof FileSystemDirectoryHandle)) continue;
    let kept = 0;
    for (const file of await entriesOf(session)) {
      const size = file instanceof FileSystemFileHandle ? (await file.getFile()).size : 0;
      const segment = segmentOfFile(session.name, file.name, size);
      if (segment) found.push(segment);
      if (segment) kept += 1;
      else await session.removeEntry(file.name);
    }
    if (kept === 0) await folder.removeEntry(session.name);
  }
  return found.sort(inSendingOrder);
}

async function entriesOf(
  folder: FileSystemDirectoryHandle,
): Promise<(FileSystemDirectoryHandle | FileSystemFileHandle)[]> {
  const entries: (FileSystemDirectoryHandle | FileSystemFileHandle)[] = [];
  for await (const entry of (folder as unknown as IterableFolder).values()) entries.push(entry);
  return entries;
}

type IterableFolder = Readonly<{
  values(): AsyncIterable<FileSystemDirectoryHandle | FileSystemFileHandle>;
}>;
