/** What plays the camera in the tests of network sources: ffmpeg, and a line between it and the encoder. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';

export const hasProtocol = (name: string): boolean =>
  new RegExp(`^ *${name}$`, 'm').test(
    execFileSync('ffmpeg', ['-v', 'error', '-protocols'], { encoding: 'utf8' }),
  );

export type Media = Readonly<{
  size?: string;
  /** Without sound where it is false. */
  audio?: boolean;
  seconds?: number;
  output?: readonly string[];
}>;

/** In real time, with a keyframe each second. */
export function startSender(
  t: TestContext,
  { size = '160x90', audio = true, seconds, output = [] }: Media,
  format: string,
  address: string,
): ChildProcess {
  const sound = ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const child = spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error'],
      ...['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=15`, ...(audio ? sound : [])],
      ...(seconds === undefined ? [] : ['-t', String(seconds)]),
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '15'],
      ...['-pix_fmt', 'yuv420p', ...(audio ? ['-c:a', 'aac'] : []), ...output],
      ...['-f', format, address],
    ],
    { stdio: 'ignore' },
  );
  t.after(() => child.kill('SIGKILL'));
  return child;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

export type Line = Readonly<{
  /** Where the camera sends to. */
  port: number;
  /** What becomes of a datagram; undefined: it is lost. */
  fault: { current: (datagram: Buffer) => Buffer | undefined };
}>;

/** UDP datagrams are forwarded to a port of this machine, as far as the fault lets them. */
export async function startLine(t: TestContext, to: number): Promise<Line> {
  const fault: Line['fault'] = { current: (datagram) => datagram };
  const socket = createSocket('udp4', (datagram) => {
    const passed = fault.current(datagram);
    if (passed) socket.send(passed, to, '127.0.0.1');
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { port: socket.address().port, fault };
}

const PACKET_BYTES = 188;

/** A datagram of TS packets without those of one PID; undefined if none is left. */
export function withoutPid(datagram: Buffer, pid: number): Buffer | undefined {
  const kept: Buffer[] = [];
  for (let at = 0; at + PACKET_BYTES <= datagram.length; at += PACKET_BYTES) {
    const packet = datagram.subarray(at, at + PACKET_BYTES);
    if ((packet.readUInt16BE(1) & 0x1fff) !== pid) kept.push(packet);
  }
  return kept.length > 0 ? Buffer.concat(kept) : undefined;
}
