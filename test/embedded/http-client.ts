/** Plain HTTP requests for tests: nothing is followed, decoded or kept alive. */

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

export type Answer = Readonly<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>;

export function send(
  url: string,
  options: Readonly<{ method?: string; headers?: Record<string, string>; body?: Buffer }> = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode = 0, headers: received } = response;
        resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject).end(body);
  });
}
