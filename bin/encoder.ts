/** The encoder client: `npm run encoder -- INPUT --to URL --stream ID`, see `--help`. */

import { UsageError } from '../lib/base/command-line.ts';
import { parseCommand } from '../lib/encoder/command.ts';
import { encode } from '../lib/encoder/encode.ts';
import { HELP } from '../lib/encoder/help.ts';
import { listenForInterrupts } from '../lib/encoder/interrupts.ts';
import { relay } from '../lib/encoder/relay.ts';
import { sendCaptions } from '../lib/encoder/send-captions.ts';
import { sendVod } from '../lib/encoder/send-vod.ts';
import { findFfmpeg } from '../lib/ffmpeg/find.ts';

const BAD_USE = 1;
const GAVE_UP = 2;

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2), process.env);
  if (command.type === 'help') {
    console.log(HELP);
    return 0;
  }
  const interrupts = listenForInterrupts(process);
  if (command.type === 'relay') return relay(command, interrupts);
  if (command.type === 'captions') return sendCaptions(command, interrupts);
  if (command.type === 'vod') return sendVod(command, interrupts);
  const ffmpeg = await findFfmpeg(process.env.FFMPEG || 'ffmpeg');
  // It comes with every ffmpeg, in the same folder.
  const ffprobe = ffmpeg.replace(/ffmpeg(?=[^/\\]*$)/, 'ffprobe');
  return encode(command, { ffmpeg, ffprobe, environment: process.env }, interrupts);
}

try {
  // Standard input that is no longer read would keep the process alive.
  process.exit(await main());
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nTry --help.`);
    process.exit(BAD_USE);
  }
  console.error(error);
  process.exit(GAVE_UP);
}
