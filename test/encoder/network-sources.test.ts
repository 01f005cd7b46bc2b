import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import {
  countFrames,
  type EncoderProcess,
  makeClip,
  startEncoder,
  temporaryFolder,
  until,
} from './encoder-process.ts';
import { type FakeApi, type StoredSegment, startFakeApi } from './fake-api.ts';
import { freePort, hasProtocol, startLine, startSender, withoutPid } from './media-senders.ts';

type Setting = Readonly<{
  api: FakeApi;
  folder: string;
  start(input: string, ...options: readonly string[]): EncoderProcess;
}>;

async function setUp(t: TestContext): Promise<Setting> {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const where = ['--to', api.url, '--stream', 'v', '--key', 'secret', '--spool', join(folder, 's')];
  return {
    api,
    folder,
    start: (input, ...options) =>
      startEncoder(t, [input, ...where, '--segment-seconds', '1', ...options]),
  };
}

const sum = (segments: readonly StoredSegment[]): number =>
  segments.reduce((seconds, { durationSeconds }) => seconds + (durationSeconds ?? 0), 0);

const sessions = (segments: readonly StoredSegment[]): string[] => [
  ...new Set(segments.map(({ session }) => session)),
];

/** Codec and width or channels of each track. */
async function tracksOf({ bytes }: StoredSegment, folder: string): Promise<string[]> {
  const path = join(folder, 'look.ts');
  await writeFile(path, bytes);
  const entries = ['-show_entries', 'stream=codec_name,width,channels', '-of', 'csv=p=0'];
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', ...entries, path]);
  return [...new Set(stdout.trim().split(/\s+/))].sort();
}

const LONG_MS = 90_000;
const first = ({ segments }: FakeApi): StoredSegment => segments[0] ?? assert.fail();
const last = ({ segments }: FakeApi): StoredSegment => segments.at(-1) ?? assert.fail();

/** Segments with another behind them: the last of a session ends where the camera went away. */
const followed = ({ segments }: FakeApi): StoredSegment[] =>
  segments.filter(({ session, number }) =>
    segments.some((other) => other.session === session && other.number > number),
  );

async function finish(encoder: EncoderProcess): Promise<void> {
  encoder.child.kill('SIGINT');
  assert.equal((await encoder.exit).code, 130, encoder.output());
}

type Kind = Readonly<{
  format: string;
  protocol: string;
  input(port: number): string;
  output(port: number): string;
}>;

/** How an encoder and a camera meet. */
const KINDS: Readonly<Record<string, Kind>> = {
  'that pushes RTMP': {
    format: 'flv',
    protocol: 'rtmp',
    input: (port) => `rtmp://127.0.0.1:${port}/live/x?listen=1`,
    output: (port) => `rtmp://127.0.0.1:${port}/live/x`,
  },
  'that calls by SRT': {
    format: 'mpegts',
    protocol: 'srt',
    input: (port) => `srt://127.0.0.1:${port}?mode=listener`,
    output: (port) => `srt://127.0.0.1:${port}?mode=caller`,
  },
  'that is called by SRT': {
    format: 'mpegts',
    protocol: 'srt',
    input: (port) => `srt://127.0.0.1:${port}?mode=caller`,
    output: (port) => `srt://127.0.0.1:${port}?mode=listener`,
  },
  'that listens on TCP': {
    format: 'mpegts',
    protocol: 'tcp',
    input: (port) => `tcp://127.0.0.1:${port}`,
    output: (port) => `tcp://127.0.0.1:${port}?listen=1`,
  },
};

// Most of the time they wait for cameras.
describe('encoder: a camera', { concurrency: 3 }, () => {
  for (const [what, { format, protocol, input, output }] of Object.entries(KINDS)) {
    const skip = !hasProtocol(protocol) && `this ffmpeg has no ${protocol}`;

    test(`${what}, is killed, and comes back larger and without sound, is a new session`, {
      skip,
    }, async (t) => {
      const { api, folder, start } = await setUp(t);
      const port = await freePort();
      const encoder = start(input(port));
      const send = keepSending(t, () => startSender(t, {}, format, output(port)));
      await until(() => api.segments.length >= 2, LONG_MS);
      await send.kill('SIGKILL');
      const again = keepSending(t, () =>
        startSender(t, { size: '320x180', audio: false }, format, output(port)),
      );
      await until(() => sessions(api.segments).length === 2, LONG_MS);
      await again.kill('SIGKILL');
      await finish(encoder);
      assert.deepEqual(await tracksOf(first(api), folder), ['aac,1', 'h264,160']);
      assert.deepEqual(await tracksOf(last(api), folder), ['h264,320']);
      assert.match(encoder.output(), /Waiting for [a-z]+:\S+: .+; trying again in/);
      assert.match(encoder.output(), /sends media, after \d+\.\d s\./);
      assert.deepEqual(api.ends, ['v']);
      for (const { durationSeconds = 0 } of followed(api)) assert.ok(durationSeconds >= 0.5);
    });
  }

  test('whose cable is pulled is waited for, and the encoder ends with --duration', {
    skip: !hasProtocol('srt') && 'this ffmpeg has no srt',
  }, async (t) => {
    const { api, start } = await setUp(t);
    const port = await freePort();
    const camera = keepSending(t, () =>
      startSender(t, {}, 'mpegts', `srt://127.0.0.1:${port}?mode=listener`),
    );
    const encoder = start(`srt://127.0.0.1:${port}?mode=caller`, '--duration', '25');
    await until(() => api.segments.length >= 2, LONG_MS);
    camera.freeze();
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.match(encoder.output(), /Waiting for srt:\S+: .+; trying again in/);
    assert.ok(sum(api.segments) < 20, `${sum(api.segments)} s`);
    assert.deepEqual(api.ends, ['v']);
  });

  test('that takes the call and sends nothing is told in one line, and given up when told', async (t) => {
    const { api, start } = await setUp(t);
    const calls: Socket[] = [];
    const mute = createServer((socket) => {
      socket.on('error', () => undefined);
      calls.push(socket);
    });
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    t.after(() => {
      for (const call of calls) call.destroy();
      mute.close();
    });
    const { port } = mute.address() as AddressInfo;
    const inputs = [`rtsp://127.0.0.1:${port}/x`, `rtmp://127.0.0.1:${port}/live/x`];
    for (const input of inputs) {
      const encoder = start(input, '--duration', '3');
      assert.equal((await encoder.exit).code, 2, encoder.output());
      assert.match(encoder.output(), /: no media came in 3 s \(no media for \d+ s\)/, input);
    }
    assert.deepEqual(api.segments, []);
  });
});

describe('encoder: a transport stream over UDP', { concurrency: 3 }, () => {
  const toPort = (port: number) => `udp://127.0.0.1:${port}?pkt_size=1316`;

  test('with datagrams lost goes on as one session', async (t) => {
    const { api, start } = await setUp(t);
    const port = await freePort();
    const line = await startLine(t, port);
    let count = 0;
    line.fault.current = (datagram) => {
      count += 1;
      return count % 23 === 0 ? undefined : datagram;
    };
    startSender(t, {}, 'mpegts', toPort(line.port));
    const encoder = start(`udp://127.0.0.1:${port}`, '--duration', '8');
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.equal(sessions(api.segments).length, 1, encoder.output());
    assert.ok(Math.abs(sum(api.segments) - 8) < 0.5, `${sum(api.segments)} s`);
  });

  test('from a group is taken', async (t) => {
    const { api, start } = await setUp(t);
    const port = await freePort();
    const group = `udp://239.255.77.88:${port}`;
    startSender(t, {}, 'mpegts', `${group}?pkt_size=1316&ttl=0&localaddr=127.0.0.1`);
    const encoder = start(`${group}?localaddr=127.0.0.1`, '--duration', '3');
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.ok(Math.abs(sum(api.segments) - 3) < 0.5, `${sum(api.segments)} s`);
  });

  test('whose sound is promised and does not come is sent as picture', async (t) => {
    const { api, folder, start } = await setUp(t);
    const port = await freePort();
    const line = await startLine(t, port);
    line.fault.current = (datagram) => withoutPid(datagram, 257);
    startSender(t, {}, 'mpegts', toPort(line.port));
    const encoder = start(`udp://127.0.0.1:${port}`, '--duration', '4');
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.deepEqual(await tracksOf(first(api), folder), ['h264,160']);
    assert.ok(Math.abs(sum(api.segments) - 4) < 0.5, `${sum(api.segments)} s`);
  });

  test('to which sound is added is opened again with it', async (t) => {
    const { api, folder, start } = await setUp(t);
    const port = await freePort();
    const encoder = start(`udp://127.0.0.1:${port}`);
    const silent = startSender(t, { audio: false }, 'mpegts', toPort(port));
    await until(() => api.segments.length >= 2, LONG_MS);
    silent.kill('SIGKILL');
    await once(silent, 'exit');
    startSender(t, {}, 'mpegts', toPort(port));
    await until(async () => (await tracksOf(last(api), folder)).includes('aac,1'), LONG_MS);
    await finish(encoder);
    assert.equal(sessions(api.segments).length, 2, encoder.output());
  });

  for (const [what, hours] of [
    ['hours ahead', 5],
    ['hours back', -5],
  ] as const) {
    test(`whose clock is ${what} goes on, and no segment is longer than it lasted`, async (t) => {
      const { api, start } = await setUp(t);
      const port = await freePort();
      const encoder = start(`udp://127.0.0.1:${port}`);
      const offset = (seconds: number) => ['-output_ts_offset', String(36_000 + seconds)];
      const before = startSender(t, { output: offset(0) }, 'mpegts', toPort(port));
      await until(() => api.segments.length >= 2, LONG_MS);
      before.kill('SIGKILL');
      await once(before, 'exit');
      const count = api.segments.length;
      startSender(t, { output: offset(3600 * hours) }, 'mpegts', toPort(port));
      await until(() => api.segments.length >= count + 4, LONG_MS);
      await finish(encoder);
      for (const { durationSeconds = 0 } of api.segments) {
        assert.ok(durationSeconds <= 4, `${durationSeconds} s`);
      }
      for (const { durationSeconds = 0 } of followed(api)) {
        assert.ok(durationSeconds === 0 || durationSeconds >= 0.5, `${durationSeconds} s`);
      }
    });
  }
});

describe('encoder: JPEG pictures over HTTP', () => {
  test('are a camera, which is opened again when it went away', async (t) => {
    const { api, folder, start } = await setUp(t);
    const pictures = spawn(
      'ffmpeg',
      [
        ...['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10'],
        ...['-c:v', 'mjpeg', '-f', 'mpjpeg', 'pipe:1'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    t.after(() => pictures.kill('SIGKILL'));
    const viewers = new Set<ServerResponse>();
    const arriving = new Set<ServerResponse>();
    pictures.stdout.on('data', (bytes: Buffer) => {
      for (const viewer of viewers) viewer.write(bytes);
      // Each begins with a whole picture.
      const begin = bytes.indexOf('--ffmpeg');
      for (const viewer of begin < 0 ? [] : arriving) {
        viewer.write(bytes.subarray(begin));
        arriving.delete(viewer);
        viewers.add(viewer);
      }
    });
    const camera = createHttpServer((_, response) => {
      response.writeHead(200, {
        'content-type': 'multipart/x-mixed-replace;boundary=ffmpeg',
      });
      arriving.add(response);
      response.on('close', () => viewers.delete(response));
    });
    camera.listen(0, '127.0.0.1');
    await once(camera, 'listening');
    t.after(() => camera.close());
    t.after(() => camera.closeAllConnections());
    const { port } = camera.address() as AddressInfo;
    const encoder = start(`http://127.0.0.1:${port}/video.mjpg`);
    await until(() => api.segments.length >= 2, LONG_MS);
    camera.closeAllConnections();
    await until(() => sessions(api.segments).length === 2, LONG_MS);
    await finish(encoder);
    assert.deepEqual(await tracksOf(last(api), folder), ['h264,160']);
    assert.match(encoder.output(), /Waiting for http:\S+mjpg: .+; trying again in/);
  });
});

test('encoder: a list of files is sent as one', async (t) => {
  const { api, folder, start } = await setUp(t);
  await Promise.all(['a', 'b'].map((name) => makeClip(join(folder, `${name}.mp4`), 2, 1)));
  const list = join(folder, 'list.txt');
  await writeFile(list, "ffconcat version 1.0\nfile 'a.mp4'\nfile 'b.mp4'\n");
  const encoder = start(list);
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.ok(Math.abs(sum(api.segments) - 4) < 0.1, `${sum(api.segments)} s`);
  const frames = await Promise.all(
    api.segments.map(async ({ bytes, number }) => {
      const path = join(folder, `${number}.ts`);
      await writeFile(path, bytes);
      return (await countFrames(path)).frames;
    }),
  );
  assert.equal(
    frames.reduce((all, count) => all + count, 0),
    100,
  );
});

/** A sender ends when there is nobody yet: it is started again until it is to end. */
function keepSending(t: TestContext, start: () => ReturnType<typeof startSender>) {
  let goesOn = true;
  let child = start();
  const run = (async () => {
    while (goesOn) {
      await once(child, 'exit');
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (goesOn) child = start();
    }
  })();
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    goesOn = false;
    child.kill(signal);
    await run;
  };
  t.after(() => kill('SIGKILL'));
  return { kill, freeze: () => child.kill('SIGSTOP') };
}
