/** A camera with an RTSP server: what ffmpeg encodes, over TCP, with faults that tests inject. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder, until } from './encoder-process.ts';

export type CameraOptions = Readonly<{
  size?: string;
  video?: readonly string[];
  audio?: readonly string[];
}>;

export type RtspCamera = Readonly<{
  url: string;
  /** How many clients began to play. */
  plays(): number;
  /** What stands in for the media that would be sent. */
  fault: {
    /** No packets of these tracks: 0 is the video, 1 the audio. */
    silent: ReadonlySet<number>;
    /** Every request is answered so. */
    status: string | undefined;
    /** The camera's clock is so much ahead. */
    aheadSeconds: number;
    /** A connection is closed after so many packets. */
    packets: number;
  };
  /** Resets all connections. */
  disconnect(): void;
  /** Encodes otherwise from now on, and resets all connections. */
  change(options: CameraOptions): Promise<void>;
}>;

const CLOCK_RATE_PATTERN = /a=rtpmap:\d+ [^/]+\/(\d+)/g;
const H264 = ['libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '15'];

export async function startRtspCamera(
  t: TestContext,
  options: CameraOptions = {},
): Promise<RtspCamera> {
  const folder = await temporaryFolder(t);
  const fault: RtspCamera['fault'] = {
    silent: new Set(),
    status: undefined,
    aheadSeconds: 0,
    packets: Number.POSITIVE_INFINITY,
  };
  const playing = new Map<Socket, number>();
  const clients = new Set<Socket>();
  let plays = 0;
  let clockRates: number[] = [];
  let sdp = '';
  let encoder: ChildProcess | undefined;

  function forward(track: number, packet: Buffer): void {
    if (fault.silent.has(track)) return;
    const ahead = Math.round(fault.aheadSeconds * (clockRates[track] ?? 0));
    packet.writeUInt32BE((packet.readUInt32BE(4) + ahead) >>> 0, 4);
    const header = Buffer.from([0x24, 2 * track, packet.length >> 8, packet.length & 255]);
    for (const [client, sent] of playing) {
      if (sent >= fault.packets) client.destroy();
      else client.write(Buffer.concat([header, packet]));
      playing.set(client, sent + 1);
    }
  }

  const rtp = await Promise.all([0, 1].map((track) => receiver((bytes) => forward(track, bytes))));
  const rtcp = await receiver(() => undefined);
  const [videoPort, audioPort, rtcpPort] = [...rtp, rtcp].map((socket) => socket.address().port);

  async function encode({ size = '160x90', video = H264, audio = ['aac'] }: CameraOptions) {
    encoder?.kill('SIGKILL');
    const file = join(folder, `${plays}-${Date.now()}.sdp`);
    const to = (port?: number) => `rtp://127.0.0.1:${port}?rtcpport=${rtcpPort}&pkt_size=1200`;
    const child = spawn('ffmpeg', [
      ...['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=15`],
      ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
      ...[
        '-map',
        '0:v',
        '-c:v',
        ...video,
        '-flags:v',
        '+global_header',
        '-f',
        'rtp',
        to(videoPort),
      ],
      ...['-map', '1:a', '-c:a', ...audio, '-f', 'rtp', to(audioPort), '-sdp_file', file],
    ]);
    encoder = child;
    await until(async () => {
      sdp = await readFile(file, 'utf8').catch(() => '');
      return sdp.split('\nm=').length === 3;
    });
    clockRates = Array.from(sdp.matchAll(CLOCK_RATE_PATTERN), ([, rate]) => Number(rate));
    // Where the tracks are: the control attribute of each.
    let track = 0;
    sdp = sdp
      .replace(/^SDP:\n/, '')
      .split(/\r?\n/)
      .map((line) => line.replace(/^m=(\w+) \d+/, 'm=$1 0'))
      .flatMap((line) => (line.startsWith('a=rtpmap') ? [line, `a=control:${track++}`] : [line]))
      .join('\r\n');
  }

  function answer(client: Socket, request: string): void {
    const [, method = '', address = ''] = request.match(/^(\w+) (\S+)/) ?? [];
    const sequence = request.match(/^CSeq: *(\d+)/im)?.[1];
    const status = fault.status ?? '200 OK';
    const headers = [`RTSP/1.0 ${status}`, `CSeq: ${sequence}`, 'Session: 1'];
    let body = '';
    if (method === 'OPTIONS') headers.push('Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN');
    if (method === 'DESCRIBE' && fault.status === undefined) {
      body = sdp;
      headers.push('Content-Type: application/sdp', `Content-Base: ${address}/`);
      headers.push(`Content-Length: ${body.length}`);
    }
    const track = Number(address.split('/').at(-1));
    if (method === 'SETUP')
      headers.push(`Transport: RTP/AVP/TCP;unicast;interleaved=${2 * track}-${2 * track + 1}`);
    client.write(`${headers.join('\r\n')}\r\n\r\n${body}`);
    if (method !== 'PLAY' || fault.status !== undefined) return;
    plays += 1;
    playing.set(client, 0);
  }

  const server = createServer((client) => {
    let text = '';
    clients.add(client);
    client.on('error', () => undefined);
    client.on('close', () => playing.delete(client) && clients.delete(client));
    client.on('data', (bytes) => {
      // RTCP of the client stands between the requests.
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end).match(/[A-Z_]+ rtsp:[\s\S]*$/)?.[0];
        text = text.slice(end + 4);
        if (request !== undefined) answer(client, request);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const disconnect = (): void => {
    for (const client of clients) client.resetAndDestroy();
  };
  const change = async (other: CameraOptions): Promise<void> => {
    await encode(other);
    disconnect();
  };
  t.after(() => {
    encoder?.kill('SIGKILL');
    disconnect();
    server.close();
    for (const socket of [...rtp, rtcp]) socket.close();
  });
  await encode(options);
  const port = typeof address === 'object' ? address?.port : undefined;
  const url = `rtsp://127.0.0.1:${port}/camera`;
  return { url, plays: () => plays, fault, disconnect, change };
}

async function receiver(onPacket: (bytes: Buffer) => void): Promise<UdpSocket> {
  const socket = createSocket('udp4', onPacket);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
