/** All cameras of a list, each as a stream: `npm run cameras -- cameras.json`, see `--help`. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../lib/base/command-line.ts';
import {
  type CamerasCommand,
  DEFAULT_TO,
  encodeCommandOf,
  parseCamerasCommand,
} from '../lib/cameras/camera-command.ts';
import { parseCameraList } from '../lib/cameras/camera-list.ts';
import { CameraStatus } from '../lib/cameras/camera-status.ts';
import { findCameras } from '../lib/cameras/find-cameras.ts';
import { HELP } from '../lib/cameras/help.ts';
import { runCamera } from '../lib/cameras/run-camera.ts';
import { StatusBoard } from '../lib/cameras/status-board.ts';
import { encode } from '../lib/encoder/encode.ts';
import { listenForInterrupts } from '../lib/encoder/interrupts.ts';
import { findFfmpeg } from '../lib/ffmpeg/find.ts';

const BAD_USE = 1;
const GAVE_UP = 2;
const FIND_MS = 3000;
const MAX_FILE_BYTES = 1_000_000;

async function main(): Promise<number> {
  const command = parseCamerasCommand(process.argv.slice(2));
  switch (command.type) {
    case 'help':
      console.log(HELP);
      return 0;
    case 'find':
      return find();
    case 'run':
      return run(command);
  }
}

async function find(): Promise<number> {
  console.error(`Asking the local network for ONVIF cameras (${FIND_MS / 1000} s)…`);
  const found = await findCameras({ signal: AbortSignal.timeout(FIND_MS) });
  for (const { name, hardware, addresses } of found) {
    console.log([name || 'A camera', hardware, addresses.join(' ')].filter(Boolean).join('  '));
  }
  console.error(
    found.length === 0
      ? 'None answered. Cameras in other networks do not hear the question, and some have ONVIF switched off.'
      : 'For cameras.json each needs its RTSP address; its manual or web page has it, as rtsp://USER:PASSWORD@HOST/PATH.',
  );
  return found.length === 0 ? GAVE_UP : 0;
}

async function run(command: Extract<CamerasCommand, { type: 'run' }>): Promise<number> {
  const cameras = parseCameraList(await readList(command.file), command.file);
  const key = command.key ?? (process.env.RIVULET_KEY || (await keyOfOwnServer(command.to)));
  const env = { ...process.env, RIVULET_KEY: key };
  const encoders = cameras.map((camera) => ({
    command: encodeCommandOf(camera, command, env),
    status: new CameraStatus(camera.name),
  }));
  const ffmpeg = await findFfmpeg(process.env.FFMPEG || 'ffmpeg');
  const ffprobe = ffmpeg.replace(/ffmpeg(?=[^/\\]*$)/, 'ffprobe');
  const tools = { ffmpeg, ffprobe, environment: process.env };
  const interrupts = listenForInterrupts(process);
  const streams = cameras.map(({ stream }) => stream).join();
  console.error(`Watch them all: ${encoders[0]?.command.to}/wall?streams=${streams}`);
  const board = new StatusBoard(
    encoders.map(({ status }) => status),
    process.stderr,
  );
  board.start();
  await Promise.all(
    encoders.map(({ command: one, status }) =>
      runCamera({
        status,
        interrupts,
        encode: (own, startProgress) => encode(one, tools, own, startProgress),
      }),
    ),
  );
  board.stop();
  return interrupts.exitCode();
}

async function readList(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= MAX_FILE_BYTES) return bytes.toString();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file} cannot be read (${why}); expected: a file such as cameras.json.`);
  }
  throw new UsageError(
    `${file} has more than ${MAX_FILE_BYTES} bytes; expected: a list of cameras.`,
  );
}

/** The owner key of a server that `npm start` runs here; undefined if there is none. */
async function keyOfOwnServer(to: string): Promise<string | undefined> {
  if (to !== DEFAULT_TO) return undefined;
  const { RIVULET_OWNER_KEY, RIVULET_DATA } = process.env;
  if (RIVULET_OWNER_KEY) return RIVULET_OWNER_KEY;
  const kept = join(RIVULET_DATA || '.rivulet', 'secrets', 'owner-key');
  return (await readFile(kept, 'utf8').catch(() => '')).trim() || undefined;
}

try {
  process.exit(await main());
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nTry --help.`);
    process.exit(BAD_USE);
  }
  console.error(error);
  process.exit(GAVE_UP);
}
