/** Stands between a client and the emulator and lets go wrong what a test says. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Scope } from '../support/system.ts';

export type ProxiedRequest = Readonly<{
  atMs: number;
  /** `dynamodb.UpdateItem`, `ecs.UpdateService`, or for S3 the method: `s3.PUT`. */
  call: string;
  path: string;
  body: string;
}>;

export type Fault = Readonly<
  | { type: 'answer'; status: number; body: string }
  /** The service does what it is asked, and its answer never arrives. */
  | { type: 'lose-answer' }
  /** The connection breaks before the service has heard of the request. */
  | { type: 'break' }
  /** Half of the answer's body arrives. */
  | { type: 'cut-body' }
  | { type: 'hang' }
>;

export type FaultyProxy = Readonly<{
  endpoint: string;
  /** Asked once for each request; undefined lets it pass. */
  setFault(fault: (request: ProxiedRequest) => Fault | undefined): void;
  /** Faults for the next requests of one call, then none. */
  failNext(call: string, ...faults: readonly Fault[]): void;
  requests: ProxiedRequest[];
}>;

const SERVICES = [
  ['DynamoDB', 'dynamodb'],
  ['AmazonSQS', 'sqs'],
  ['AmazonEC2ContainerService', 'ecs'],
] as const;

type Answer = Readonly<{ head: IncomingMessage; body: Buffer }>;

export async function startFaultyProxy(scope: Scope, endpoint: string): Promise<FaultyProxy> {
  const requests: ProxiedRequest[] = [];
  let faultOf: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    const seen = describeRequest(incoming, body);
    requests.push(seen);
    const fault = faultOf(seen);
    if (fault?.type === 'hang') return;
    if (fault?.type === 'break') return void incoming.socket.destroy();
    if (fault?.type === 'answer') return void outgoing.writeHead(fault.status).end(fault.body);
    const answer = await forward(endpoint, incoming, body);
    if (fault?.type === 'lose-answer') return void incoming.socket.destroy();
    outgoing.writeHead(answer.head.statusCode ?? 500, answer.head.headers);
    if (fault?.type !== 'cut-body') return void outgoing.end(answer.body);
    outgoing.write(answer.body.subarray(0, answer.body.length / 2), () =>
      incoming.socket.destroy(),
    );
  };
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    setFault: (fault) => {
      faultOf = fault;
    },
    failNext: (call, ...faults) => {
      const left = [...faults];
      faultOf = (seen) => (seen.call === call ? left.shift() : undefined);
    },
    requests,
  };
}

function describeRequest(
  { headers, method, url = '/' }: IncomingMessage,
  body: Buffer,
): ProxiedRequest {
  const [service = '', action = ''] = String(headers['x-amz-target'] ?? '').split('.');
  const json = service !== '';
  const name = SERVICES.find(([prefix]) => service.startsWith(prefix))?.[1];
  return {
    atMs: performance.now(),
    call: json ? `${name}.${action}` : `s3.${method}`,
    path: url,
    body: json ? body.toString() : '',
  };
}

/** As it came, host and all: the signature covers it. */
async function forward(endpoint: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method, headers, url = '/' } = incoming;
  const outgoing = request(new URL(url, endpoint), { method: method ?? 'GET', headers });
  outgoing.end(body);
  const [head] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { head, body: await buffer(head) };
}
