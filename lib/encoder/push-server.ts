/** An HTTP server on this machine for what ffmpeg and other encoders push: PUT of whole files. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type PushHandler = Readonly<{
  /**
   * Called when the request begins, in the order of arrival. The body rejects if it breaks off.
   * Resolves when the file is stored.
   */
  onFile(path: readonly string[], body: Promise<Uint8Array>): Promise<PushAnswer>;
  /** Clients that send `Expect: 100-continue` wait for it. */
  admit?(path: readonly string[]): Promise<void>;
}>;

export type PushAnswer = Readonly<{ status: number; text?: string }>;

export type PushServer = Readonly<{ port: number; close(): Promise<void> }>;

export async function startPushServer(handler: PushHandler, port = 0): Promise<PushServer> {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    if (!path) {
      response.writeHead(400).end('The address is none.\n');
      return;
    }
    if (request.method === 'DELETE') {
      // Encoders delete what left their playlist's window; what was pushed is kept all the same.
      response.writeHead(204).end();
      return;
    }
    if (request.method !== 'PUT' && request.method !== 'POST') {
      response.writeHead(405, { allow: 'PUT, POST, DELETE' }).end();
      return;
    }
    if (request.headers.expect) {
      await handler.admit?.(path);
      response.writeContinue();
    }
    const { status, text } = await handler.onFile(path, readBody(request));
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(text === undefined ? undefined : `${text}\n`);
  }

  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      // The client of a body that broke off is gone.
      if (request.destroyed) return;
      response.writeHead(507, { connection: 'close' }).end(`${String(error)}\n`);
    });
  };
  // A slow encoder may send one segment for as long as the segment lasts, or longer.
  const server = createServer({ requestTimeout: 0 }, listen);
  server.on('checkContinue', listen);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * ffmpeg closes the connection without waiting for the answer, and then node drops what was not read:
 * so a body is read as fast as it comes.
 */
function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const body = new Promise<Uint8Array>((resolve, reject) => {
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('The body broke off.')));
  });
  body.catch(() => undefined);
  return body;
}

function pathOf({ url = '/' }: IncomingMessage): string[] | undefined {
  // Two slashes at the start are no host.
  const address = `http://localhost/${url.replace(/^\/+/, '')}`;
  if (!URL.canParse(address)) return undefined;
  const parts = new URL(address).pathname.split('/').filter((part) => part !== '');
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}
