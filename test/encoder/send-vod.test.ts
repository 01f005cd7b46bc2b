import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { FilePart } from '../../lib/api/client.ts';
import type { FileUpload } from '../../lib/api/messages.ts';
import { sendFile } from '../../lib/api/send-file.ts';
import { ffmpeg, probe } from '../support/ffmpeg.ts';
import { startTestSystem } from '../support/system.ts';
import { makeClip, startEncoder, temporaryFolder } from './encoder-process.ts';

const PART_BYTES = 10;

/** A server that keeps parts, two of which it asks for at a time. */
function fakeServer(sizeBytes: number, failing: Set<number> = new Set()) {
  const stored = new Map<number, string>();
  const parts = Math.ceil(sizeBytes / PART_BYTES);
  const api = {
    async requestFileUpload(_: string, file: { name: string }): Promise<FileUpload> {
      const numbers = Array.from({ length: parts }, (__, index) => index + 1);
      const absent = numbers.filter((part) => !stored.has(part));
      const view = { ...file, sizeBytes, storedBytes: stored.size * PART_BYTES, cutSeconds: 0 };
      if (absent.length === 0) return { file: { ...view, state: 'waiting' }, serverTime: '' };
      const missing = absent.slice(0, 2).map((part): FilePart => {
        const offset = (part - 1) * PART_BYTES;
        const size = Math.min(PART_BYTES, sizeBytes - offset);
        return { part, offset, sizeBytes: size, method: 'PUT', url: '', headers: {} };
      });
      const upload = {
        ...{ partBytes: PART_BYTES, parts, missingParts: absent.length, missing },
        expiresAt: '',
      };
      return { file: { ...view, state: 'uploading' }, upload, serverTime: '' };
    },
    async putPart({ part }: FilePart, bytes: Uint8Array) {
      if (failing.has(part)) throw new Error(`part ${part} is lost`);
      stored.set(part, Buffer.from(bytes).toString());
    },
  };
  return { api, stored };
}

describe('sending a whole file', () => {
  const text = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
  const send = (api: ReturnType<typeof fakeServer>['api'], progress: number[] = []) =>
    sendFile(
      api,
      {
        ...{ videoId: 'film', name: 'film.mp4', sizeBytes: text.length },
        read: async (start, end) => new Uint8Array(Buffer.from(text.slice(start, end))),
      },
      {
        ...{ parallel: 2, signal: new AbortController().signal },
        call: (attempt) => attempt(new AbortController().signal),
        onProgress: (bytes) => progress.push(bytes),
      },
    );

  test('sends each part once, and says how much is there', async () => {
    const { api, stored } = fakeServer(text.length);
    const progress: number[] = [];
    assert.equal((await send(api, progress)).state, 'waiting');
    const parts = [...stored].sort(([a], [b]) => a - b).map(([, part]) => part);
    assert.deepEqual(parts, ['abcdefghij', 'klmnopqrst', 'uvwxyz0123', '456789ABCD', 'EFG']);
    assert.deepEqual([progress[0], progress.at(-1)], [0, text.length]);
  });

  test('goes on with what is missing after a failure', async () => {
    const failing = new Set([3]);
    const { api, stored } = fakeServer(text.length, failing);
    await assert.rejects(send(api), /part 3 is lost/);
    stored.set(1, 'is not sent again');
    failing.clear();
    await send(api);
    assert.equal(stored.get(1), 'is not sent again');
    assert.equal(stored.size, 5);
  });
});

test('the encoder sends a file with --vod, and waits until all of it can be watched', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'film.mkv');
  await makeClip(path, 6, 2);
  const system = await startTestSystem(t);
  const options = ['--vod', '--to', system.url, '--stream', 'film', '--key', system.ownerKey];
  const encoder = startEncoder(t, [path, ...options]);
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.match(encoder.output(), /film: done, 6\.0 s\.\n$/);
  const streams = await probe(`${system.url}/viewstream/metadata/film.m3u8`);
  const [source] = await probe(path);
  const video = streams.filter(({ codec_type: type }) => type === 'video');
  assert.ok(video.length > 0);
  for (const { nb_read_frames: frames } of video) assert.equal(frames, source?.nb_read_frames);

  const text = join(folder, 'text.mp4');
  await ffmpeg(['-f', 'lavfi', '-i', 'sine=d=1', '-f', 'ffmetadata', text]);
  assert.ok((await readFile(text)).length > 0);
  const options2 = ['--vod', '--to', system.url, '--stream', 'text', '--key', system.ownerKey];
  const refused = startEncoder(t, [text, ...options2]);
  assert.equal((await refused.exit).code, 2);
  assert.match(refused.output(), /text: The file is text\. Send the file as MP4/);
});
