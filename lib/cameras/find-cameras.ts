/** Asks the local network for ONVIF cameras, by UDP. */

import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { aborted } from '../encoder/interrupts.ts';
import { type FoundCamera, parseProbeMatches, probeMessage } from './ws-discovery.ts';

/** The group and port of WS-Discovery over IPv4, which routers do not forward. */
const MULTICAST = { address: '239.255.255.250', port: 3702 } as const;
/** The network may lose a datagram. */
const ASK_AGAIN_MS = 500;
const MAX_CAMERAS = 256;
const MAX_DATAGRAMS = 4096;

export type FindOptions = Readonly<{
  /** Ends the search. */
  signal: AbortSignal;
  /** Where the question goes: all of the network by default. */
  destination?: Readonly<{ address: string; port: number }>;
  /** IPv4 addresses of this machine that it is asked from: one for each network by default. */
  from?: readonly string[];
  /** Called for each camera once. */
  onFound?(camera: FoundCamera): void;
}>;

/** Resolves when the search ends, in order of their addresses. Networks that cannot be asked are left out. */
export async function findCameras(options: FindOptions): Promise<readonly FoundCamera[]> {
  const { signal, destination = MULTICAST, from = ownAddresses(), onFound } = options;
  const found = new Map<string, FoundCamera>();
  let datagrams = 0;
  const sockets = from.map((address) => {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.on('message', (bytes) => {
      datagrams += 1;
      if (datagrams > MAX_DATAGRAMS) return;
      for (const camera of parseProbeMatches(bytes)) {
        if (found.has(camera.id) || found.size >= MAX_CAMERAS) continue;
        found.set(camera.id, camera);
        onFound?.(camera);
      }
    });
    return { socket, address };
  });
  const ask = (): void => {
    // The same id: a camera answers a question that comes twice once.
    for (const { socket } of bound) socket.send(question, destination.port, destination.address);
  };
  const question = probeMessage(randomUUID());
  const bound = (await Promise.all(sockets.map(bind))).flatMap((one) => (one ? [one] : []));
  // A signal of time alone would not keep the process alive.
  if (!signal.aborted && bound.length > 0) {
    ask();
    const again = setTimeout(ask, ASK_AGAIN_MS);
    await aborted(signal);
    clearTimeout(again);
  }
  for (const { socket } of sockets) socket.close();
  const first = ({ addresses }: FoundCamera): string => addresses[0] ?? '';
  return [...found.values()].sort((a, b) =>
    first(a).localeCompare(first(b), 'en', { numeric: true }),
  );
}

async function bind(one: Readonly<{ socket: Socket; address: string }>) {
  const { socket, address } = one;
  try {
    socket.bind(0, address);
    await once(socket, 'listening');
    socket.setMulticastInterface(address);
    return one;
  } catch {
    return undefined;
  }
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ family, internal, address }) =>
      family === 'IPv4' && !internal ? [address] : [],
    ),
  );
