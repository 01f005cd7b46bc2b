/** The kinds of INPUT, and how ffmpeg opens each. */

import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../base/command-line.ts';
import { type EncodeCommand, INPUT_EXPECTED } from './command.ts';
import { withoutCredentials } from './ffmpeg-reason.ts';
import { testPatternArguments } from './test-pattern.ts';

export type Source = Readonly<{
  kind: 'file' | 'device' | 'network' | 'stdin' | 'testsrc';
  /** Of ffmpeg, `-i` included. */
  inputArguments: readonly string[];
  /** For messages: without credentials. */
  name: string;
  /** Comes in real time, or has to be sent so. */
  live: boolean;
  /** Not expected to end. */
  endless: boolean;
  /** Is opened again when it ends or fails. */
  restartable: boolean;
  /** Waits for an encoder that connects, for as long as it takes. */
  listens: boolean;
}>;

/** ffmpeg's names of capture devices: INPUT is `FORMAT:NAME`. */
const DEVICE_FORMATS = ['alsa', 'pulse', 'v4l2', 'x11grab', 'avfoundation', 'dshow'];

/** Protocols whose streams are not expected to end. */
const ENDLESS = ['rtsp:', 'rtsps:', 'rtmp:', 'rtmps:', 'srt:', 'udp:', 'rtp:', 'rist:', 'tcp:'];

/** For FLV it would be 90 s: so long it would look for sound where there is none. In microseconds. */
const ANALYSIS = ['-analyzeduration', '5000000'];

/** Ends an ffmpeg whose encoder was killed, when its source is silent. In microseconds. */
const ORPHAN_TIMEOUT = '30000000';

/** Throws `UsageError` for a file or device that is not there. */
export async function openSource(
  { input, pace, loop, once, size, noAudio }: EncodeCommand,
  ffmpeg: string,
): Promise<Source> {
  const common = {
    name: withoutCredentials(input),
    live: true,
    endless: false,
    restartable: false,
    listens: false,
  };
  const clock = [...(pace === 'live' ? ['-re'] : []), ...(noAudio ? ['-an'] : [])];
  if (input === 'testsrc') {
    const inputArguments = await testPatternArguments(ffmpeg, pace !== 'fast');
    return { ...common, kind: 'testsrc', inputArguments };
  }
  if (input === '-') {
    const inputArguments = [...clock, '-i', 'pipe:0'];
    return { ...common, kind: 'stdin', inputArguments };
  }

  const deviceFormat = DEVICE_FORMATS.find((format) => input.startsWith(`${format}:`));
  const isVideoDevice = input.startsWith('/dev/video');
  if (deviceFormat !== undefined || isVideoDevice) {
    const device = deviceFormat === undefined ? input : input.slice(deviceFormat.length + 1);
    if (device.startsWith('/dev/')) await requireReadable(device);
    const format = deviceFormat ?? 'v4l2';
    const wanted =
      format === 'v4l2' && size ? ['-video_size', `${size.widthPx}x${size.heightPx}`] : [];
    const inputArguments = [
      ...(noAudio ? ['-an'] : []),
      ...['-thread_queue_size', '512', '-f', format, ...wanted, '-i', device],
    ];
    return { ...common, kind: 'device', inputArguments, endless: true, restartable: !once };
  }

  const scheme = input.match(/^([a-z][a-z0-9+.-]+):\/\//i)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    // TCP suits cameras behind a lossy line; the address may ask for something else.
    const isRtsp = scheme.startsWith('rtsp');
    const transport = isRtsp ? ['-rtsp_transport', 'tcp'] : [];
    const listens = /[?&](listen=[12]|mode=listener)(?=&|$)/.test(input);
    // For these two protocols ffmpeg takes it as an option, for others as part of the address.
    const asOption = listens && /^(rtmp|http)$/.test(scheme);
    const listen = asOption ? ['-listen', '1'] : [];
    const address = asOption ? input.replace(/[?&]listen=[12]/, '') : input;
    const timeout = listens ? [] : [isRtsp ? '-timeout' : '-rw_timeout', ORPHAN_TIMEOUT];
    const inputArguments = [
      ...clock,
      ...transport,
      ...listen,
      ...timeout,
      ...ANALYSIS,
      '-i',
      address,
    ];
    const endless = ENDLESS.includes(`${scheme}:`);
    const restartable = !once && endless;
    return { ...common, kind: 'network', inputArguments, endless, restartable, listens };
  }

  const path = resolve(scheme === 'file' ? decodeURIComponent(new URL(input).pathname) : input);
  await requireReadable(path);
  const again = loop ? ['-stream_loop', '-1'] : [];
  // Without the protocol's name ffmpeg would take "a:b.ts" for an address.
  const inputArguments = [...clock, ...again, '-i', `file:${path}`];
  const live = pace === 'live';
  return { ...common, kind: 'file', inputArguments, live };
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
};

async function requireReadable(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) throw new Error('it is a folder');
    // Opening a device may block; ffmpeg reports missing permissions.
    if (!path.startsWith('/dev/')) await (await open(path, 'r')).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = READ_ERRORS[code ?? ''] ?? message;
    throw new UsageError(`INPUT "${path}": ${reason}; ${INPUT_EXPECTED}`);
  }
}
