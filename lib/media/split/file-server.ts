/**
 * Serves one file to ffmpeg on this machine, by ranges, from whichever store it lies in: so ffmpeg reads a
 * file of many gigabytes without a copy of it. The address has a secret in it, and is gone with the job.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SourceFile } from './source-file.ts';

export type ServedFile = Readonly<{
  url: string;
  /** What kept the store from giving the file, if anything did. */
  failure(): Error | undefined;
  close(): void;
}>;

const PIECE_BYTES = 1024 * 1024;

export async function serveFile(file: SourceFile): Promise<ServedFile> {
  const path = `/${randomBytes(16).toString('hex')}`;
  let failure: Error | undefined;
  const server = createServer((request, response) => {
    if (request.url !== path) {
      response.writeHead(404).end();
      return;
    }
    send(file, request, response).catch((error: Error) => {
      failure ??= error;
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    failure: () => failure,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function send(
  { sizeBytes, read }: SourceFile,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, from = '0', to] = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  const start = Number(from);
  const end = Math.min(sizeBytes, to ? Number(to) + 1 : sizeBytes);
  if (start >= end) {
    response.writeHead(416, { 'content-range': `bytes */${sizeBytes}` }).end();
    return;
  }
  response.writeHead(206, {
    'accept-ranges': 'bytes',
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${sizeBytes}`,
  });
  for (let at = start; at < end && !response.destroyed; at += PIECE_BYTES) {
    const bytes = await read(at, Math.min(end, at + PIECE_BYTES));
    // ffmpeg closes the connection wherever it jumps.
    if (!response.write(bytes))
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}
