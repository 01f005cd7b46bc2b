/** The test pattern: video that shows when each frame was made, and tones; for measuring latency. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const SIZE = '1280x720';
const FRAMES_PER_SECOND = 30;

/** An event for detectors: a white square for half a second in ten. */
const FLASH = "drawbox=x=1140:y=20:w=120:h=120:color=white:t=fill:enable='lt(mod(t\\,10)\\,0.5)'";

/** Fonts with digits on Linux, macOS and Windows. */
const FONTS = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf',
  '/usr/share/fonts/TTF/DejaVuSansMono.ttf',
  '/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf',
  '/System/Library/Fonts/Menlo.ttc',
  '/System/Library/Fonts/Helvetica.ttc',
  'C:/Windows/Fonts/consola.ttf',
];

export async function testPatternArguments(ffmpeg: string, realTime: boolean): Promise<string[]> {
  const pace = realTime ? ['-re'] : [];
  const video = `testsrc2=size=${SIZE}:rate=${FRAMES_PER_SECOND},${FLASH}`;
  const font = await usableFont(ffmpeg);
  const text = font === undefined ? '' : `,${clockFilter(font)}`;
  // A low tone on the left; on the right a beep at each full second.
  const tones = 'aevalsrc=0.1*sin(220*2*PI*t)|0.2*sin(880*2*PI*t)*lt(mod(t\\,1)\\,0.1):s=48000';
  return [
    ...[...pace, '-f', 'lavfi', '-i', video + text],
    ...[...pace, '-f', 'lavfi', '-i', tones],
  ];
}

/** Wall clock in UTC, time since the start, and number of the frame. */
function clockFilter(font: string): string {
  const escaped = font.replace(/[\\:']/g, '\\\\$&');
  const text = '%{gmtime\\:%Y-%m-%d %H\\\\\\:%M\\\\\\:%S} UTC  %{pts\\:hms}  %{n}';
  const style =
    'fontsize=40:fontcolor=white:box=1:boxcolor=black@0.7:boxborderw=12:x=(w-tw)/2:y=h-100';
  return `drawtext=fontfile=${escaped}:text='${text}':${style}`;
}

async function usableFont(ffmpeg: string): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(ffmpeg, ['-v', 'error', '-h', 'filter=drawtext']);
  if (!stdout.includes('fontfile')) return undefined;
  return FONTS.find((font) => existsSync(font));
}
