import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ffmpeg } from '../support/ffmpeg.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import { transcodeRun, workFolder } from './segment-run.ts';

/** Large enough that a frame without its bits shows. */
const WHITE = 'drawbox=color=white:t=fill';

/** Of each picture. */
async function meanLumas(name: string, bytes: Uint8Array): Promise<number[]> {
  const [file, raw] = [join(workFolder, name), join(workFolder, `${name}.gray`)];
  writeFileSync(file, bytes);
  const oneByte = ['-vf', 'scale=1:1:flags=area', '-pix_fmt', 'gray', '-f', 'rawvideo', raw];
  await ffmpeg(['-i', file, '-fps_mode', 'passthrough', ...oneByte]);
  return [...readFileSync(raw)];
}

/** VP9 says no frame rate in the stream itself. */
const SOURCES = [
  { container: 'ts', video: 'h264' },
  { container: 'ts', video: 'hevc' },
  { container: 'fmp4', video: 'h264' },
  { container: 'fmp4', video: 'vp9' },
  { container: 'mp4', video: 'hevc' },
] as const satisfies readonly ClipOptions[];

describe('segments of a single frame', () => {
  for (const source of SOURCES) {
    for (const rate of ['1', '20']) {
      test(`show their picture: ${source.video} in ${source.container} at ${rate} fps`, async () => {
        const frameSeconds = 1 / Number(rate);
        const clip = await makeSegments({
          ...{ ...source, rate, filter: WHITE, audio: 'none', size: '640x360' },
          ...{ seconds: 3 * frameSeconds, hlsTime: frameSeconds, keyframeSeconds: frameSeconds },
        });
        assert.equal(clip.segments.length, 3);
        const { renditions } = await transcodeRun(clip);
        for (const [name, { bytes }] of Object.entries(renditions)) {
          const lumas = await meanLumas(`${name}.mp4`, bytes);
          assert.equal(lumas.length, 3);
          for (const luma of lumas) assert.ok(luma > 225, `${name}: ${lumas.join()}`);
        }
      });
    }
  }
});
