/** The command line of the cameras, and the encoder's command for each of them. */

import { flag, parseCommandLine, UsageError } from '../base/command-line.ts';
import { text } from '../base/settings.ts';
import { type EncodeCommand, parseCommand } from '../encoder/command.ts';
import type { Camera } from './camera-list.ts';

export type CamerasCommand =
  | Readonly<{ type: 'help' | 'find' }>
  | Readonly<{
      type: 'run';
      file: string;
      to: string;
      key?: string | undefined;
      spool?: string | undefined;
    }>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Where `npm start` serves. */
export const DEFAULT_TO = 'http://127.0.0.1:8080';

const OPTIONS = {
  to: text('an http or https URL'),
  key: { ...text('a key'), secret: true },
  spool: text('a folder'),
  find: flag,
};

/** Throws `UsageError`. */
export function parseCamerasCommand(argv: readonly string[]): CamerasCommand {
  const { help, options, positionals } = parseCommandLine(OPTIONS, argv, 1);
  if (help) return { type: 'help' };
  if (options.find) return { type: 'find' };
  const [file] = positionals;
  if (file === undefined) {
    throw new UsageError('The list of cameras is missing; expected: a file such as cameras.json.');
  }
  const { to = DEFAULT_TO, key, spool } = options;
  return { type: 'run', file, to, key, spool };
}

/** What the encoder's own command line would make of a camera. Throws `UsageError`. */
export function encodeCommandOf(
  camera: Camera,
  { to, key, spool }: Extract<CamerasCommand, { type: 'run' }>,
  env: Environment,
): EncodeCommand {
  const { name, address, stream, segmentSeconds, audio, video, bitrate, size } = camera;
  const valued = {
    to,
    stream,
    spool,
    bitrate,
    size,
    key: camera.key ?? key,
    // An upload key may not set it.
    title: camera.key === undefined ? name : undefined,
    'segment-seconds': segmentSeconds?.toString(),
  };
  const flags = {
    quiet: true,
    'no-audio': audio === false,
    copy: video === 'copy',
    encode: video === 'encode',
    // A file stands for a camera: in real time, again and again.
    loop: isFile(address),
  };
  const argv = [
    ...Object.entries(valued).flatMap(([option, value]) =>
      value === undefined ? [] : [`--${option}=${value}`],
    ),
    ...Object.entries(flags).flatMap(([option, isOn]) => (isOn ? [`--${option}`] : [])),
  ];
  const command = parseCommand([...argv, '--', address], env);
  if (command.type !== 'encode') throw new UsageError(`"${name}" is no camera.`);
  return command;
}

const isFile = (address: string): boolean =>
  address !== 'testsrc' &&
  (/^file:/i.test(address) || !/^[a-z][a-z0-9+.-]+:|^\/dev\//i.test(address));
