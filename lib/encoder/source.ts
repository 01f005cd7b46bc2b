/** What INPUT names, and how ffmpeg opens it. */

import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from './arguments.ts';
import { testPatternArguments } from './test-pattern.ts';

export type Source = Readonly<{
  kind: 'file' | 'device' | 'network' | 'stdin' | 'testsrc';
  /** What comes before the output's options on ffmpeg's command line, `-i` included. */
  inputArguments: readonly string[];
  /** Can be opened to look at it, and then once more. */
  probeable: boolean;
  /** Comes at its own pace, or has to. */
  live: boolean;
  /** Worth opening again when it fails. */
  restartable: boolean;
}>;

/** ffmpeg's own names of capture devices: `NAME:` before what it shall open. */
const DEVICE_FORMATS = ['alsa', 'pulse', 'v4l2', 'x11grab', 'avfoundation', 'dshow'];

/** Addresses that never end by themselves. */
const ENDLESS = ['rtsp:', 'rtsps:', 'rtmp:', 'rtmps:', 'srt:', 'udp:', 'rtp:', 'rist:', 'tcp:'];

export type SourceOptions = Readonly<{
  pace?: 'live' | 'fast';
  loop: boolean;
  once: boolean;
  size?: Readonly<{ widthPx: number; heightPx: number }>;
}>;

/** Throws `UsageError` for a file or device that is not there. */
export async function openSource(
  input: string,
  ffmpeg: string,
  options: SourceOptions,
): Promise<Source> {
  const { pace, loop, once, size } = options;
  const clock = pace === 'live' ? ['-re'] : [];
  if (input === 'testsrc') {
    const inputArguments = await testPatternArguments(ffmpeg, pace !== 'fast');
    return { kind: 'testsrc', inputArguments, probeable: false, live: true, restartable: false };
  }
  if (input === '-') {
    const inputArguments = [...clock, '-i', 'pipe:0'];
    return { kind: 'stdin', inputArguments, probeable: false, live: true, restartable: false };
  }

  const deviceFormat = DEVICE_FORMATS.find((format) => input.startsWith(`${format}:`));
  const isVideoDevice = input.startsWith('/dev/video');
  if (deviceFormat !== undefined || isVideoDevice) {
    const name = deviceFormat === undefined ? input : input.slice(deviceFormat.length + 1);
    if (name.startsWith('/dev/')) await requireReadable(name);
    const format = deviceFormat ?? 'v4l2';
    const wanted =
      format === 'v4l2' && size ? ['-video_size', `${size.widthPx}x${size.heightPx}`] : [];
    return {
      kind: 'device',
      inputArguments: ['-thread_queue_size', '512', '-f', format, ...wanted, '-i', name],
      probeable: false,
      live: true,
      restartable: !once,
    };
  }

  const scheme = input.match(/^([a-z][a-z0-9+.-]+):\/\//i)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    // A camera behind a lossy line is better read over TCP; other values can stand in the address.
    const transport = scheme.startsWith('rtsp') ? ['-rtsp_transport', 'tcp'] : [];
    const listens = /[?&](listen=[12]|mode=listener)(?=&|$)/.test(input);
    // Of these two ffmpeg takes it as an option, and as part of the address of others.
    const asOption = listens && /^(rtmp|http)$/.test(scheme);
    const listen = asOption ? ['-listen', '1'] : [];
    const address = asOption ? input.replace(/[?&]listen=[12]/, '') : input;
    return {
      kind: 'network',
      inputArguments: [...clock, ...transport, ...listen, '-i', address],
      probeable: !listens,
      live: true,
      restartable: !once && ENDLESS.includes(`${scheme}:`),
    };
  }

  const path = resolve(scheme === 'file' ? decodeURIComponent(new URL(input).pathname) : input);
  await requireReadable(path);
  const again = loop ? ['-stream_loop', '-1'] : [];
  return {
    kind: 'file',
    // Without the protocol's name ffmpeg would take "a:b.ts" for an address.
    inputArguments: [...clock, ...again, '-i', `file:${path}`],
    probeable: true,
    live: pace === 'live',
    restartable: false,
  };
}

async function requireReadable(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) throw new Error('it is a folder');
    // Opening a device can wait for it; its permissions are ffmpeg's to check.
    if (!path.startsWith('/dev/')) await (await open(path, 'r')).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'it may not be read'
          : message;
    throw new UsageError(
      `INPUT "${path}": ${reason}; expected a file, a device, a URL, "-", testsrc or relay.`,
    );
  }
}
