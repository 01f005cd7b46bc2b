/** The encoder client: `npm run encoder -- INPUT --to URL --stream ID`, see `--help`. */

import { parseCommand, UsageError } from '../lib/encoder/arguments.ts';
import { encode } from '../lib/encoder/encode.ts';
import { listenForInterrupts } from '../lib/encoder/interrupts.ts';
import { relay } from '../lib/encoder/relay.ts';
import { USAGE } from '../lib/encoder/usage.ts';
import { findFfmpeg } from '../lib/ffmpeg/find.ts';

const BAD_USE = 1;
const GAVE_UP = 2;

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2), process.env);
  if (command.type === 'help') {
    console.log(USAGE);
    return 0;
  }
  const interrupts = listenForInterrupts(process);
  if (command.type === 'relay') return relay(command, interrupts);
  const { path: ffmpeg } = await findFfmpeg(process.env.FFMPEG || 'ffmpeg');
  // It comes with every ffmpeg, and lies beside it.
  const ffprobe = ffmpeg.replace(/ffmpeg(?=[^/\\]*$)/, 'ffprobe');
  return encode(command, { ffmpeg, ffprobe, environment: process.env }, interrupts);
}

try {
  // Standard input that nobody reads any more would keep the process.
  process.exit(await main());
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nTry --help.`);
    process.exit(BAD_USE);
  }
  console.error(error);
  process.exit(GAVE_UP);
}
