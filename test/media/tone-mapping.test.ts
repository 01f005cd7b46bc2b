import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { transcodeSegment } from '../../lib/media/transcode-segment.ts';
import { ffmpeg } from '../support/ffmpeg.ts';

const RUNG = { name: '90p', widthPx: 160, heightPx: 90, maxrateBps: 300_000, level: '3.0' };

/** Luma of a grey picture. */
async function lumaOf(path: string): Promise<number> {
  const { stdout } = await promisify(execFile)(
    'ffmpeg',
    [
      ...[
        '-v',
        'error',
        '-i',
        path,
        '-frames:v',
        '1',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-',
      ],
    ],
    { encoding: 'buffer' },
  );
  return stdout[0] ?? 0;
}

test('the light of HDR becomes that of an ordinary screen, in every container: grey stays grey, and 1000 nits are bright', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-hdr-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, transfer, grey, least, most] of [
    // 1000 nits in PQ are three quarters of the code's range, in HLG all of it.
    ['pq.mp4', 'smpte2084', '0xb4b4b4', 190, 210],
    ['pq.ts', 'smpte2084', '0x606060', 40, 110],
    // Its container says nothing, only its sequence parameter set does.
    ['untold.mp4', 'smpte2084', '0xb4b4b4', 190, 235],
    // With a matrix of its own, and all of the code's range: as bright as the others.
    ['rgb.mp4', 'smpte2084', '0xb4b4b4', 190, 210],
    ['full.mp4', 'smpte2084', '0xb4b4b4', 190, 210],
    ['hlg.mp4', 'arib-std-b67', '0xf0f0f0', 190, 235],
    ['sdr.mp4', 'bt709', '0x808080', 124, 128],
  ] as const) {
    const path = join(folder, name);
    const isRgb = name === 'rgb.mp4';
    const range = isRgb || name === 'full.mp4' ? 'full' : 'limited';
    const tags = `colorprim=bt2020:colormatrix=${isRgb ? 'gbr' : 'bt2020nc'}:range=${range}`;
    const container = ['-color_primaries', 'bt2020', '-colorspace', isRgb ? 'rgb' : 'bt2020nc'];
    await ffmpeg([
      ...['-f', 'lavfi', '-i', `color=${grey}:s=160x90:r=10:d=0.5`],
      ...['-vf', `scale=out_range=${range},format=${isRgb ? 'gbrp10le' : 'yuv420p10le'}`],
      ...['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1'],
      ...(name === 'untold.mp4' ? [] : ['-color_trc', transfer, ...container]),
      ...['-x265-params', `log-level=none:transfer=${transfer}:${tags}`, path],
    ]);
    const segment = new Uint8Array(await readFile(path));
    const { facts } = await inspectSegment(segment);
    const { pieces } = await transcodeSegment({
      ...{ segment, facts, timestampOffsetTicks: 900_000, rungs: [RUNG], audioTracks: [] },
      ...{ workFolder: folder, signal: AbortSignal.timeout(60_000) },
    });
    const rendition = pieces[0]?.renditions['90p'] ?? assert.fail();
    const made = join(folder, `${name}.out.mp4`);
    await writeFile(made, Buffer.concat([rendition.init, rendition.media]));
    const luma = await lumaOf(made);
    assert.ok(luma >= least && luma <= most, `${name}: ${luma}`);
  }
});
