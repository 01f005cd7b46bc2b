/**
 * Inspection at upload: what a segment of four times the length takes beside a short one, and what a
 * small upload takes while a hostile one is inspected.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { spinning, startHostileGateway } from '../support/hostile-gateway.ts';
import { makeSegments } from '../support/media.ts';
import { type Figure, quantile } from './report.ts';
import { withSurroundings } from './surroundings.ts';

const ROUNDS = 41;
const SHORT_SECONDS = 2;
const TIMES = 4;
/** Noise: the segments are large for their number of frames. */
const BUSY = { size: '640x360', filter: 'noise=alls=60:allf=t', videoArgs: ['-qp', '34'] } as const;

export const measureInspection = async (): Promise<Figure[]> => [
  ...(await measureLengths()),
  ...(await measureBesideHostile()),
];

async function measureLengths(): Promise<Figure[]> {
  const [short, long] = await Promise.all([
    makeSegment(SHORT_SECONDS),
    makeSegment(SHORT_SECONDS * TIMES),
  ]);
  const times = { short: [] as number[], long: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.short.push(await timeInspection(short));
    times.long.push(await timeInspection(long));
  }
  const [shortMs, longMs] = [quantile(times.short, 0.5), quantile(times.long, 0.5)];
  const note = `${(long.byteLength / 1e6).toFixed(1)} MB`;
  return [
    { name: 'inspection, median ms', value: longMs, note },
    {
      name: 'inspection, per byte of a long segment : a short one',
      value: longMs / long.byteLength / (shortMs / short.byteLength),
    },
  ];
}

const PHASES = 4;
const UPLOADS_OF_PHASE = 25;

/** Phases with and without a body of another stream that spins. */
const measureBesideHostile = (): Promise<Figure[]> =>
  withSurroundings(async ({ folder, scope }) => {
    const { upload } = await startHostileGateway(scope);
    const { segments } = await makeSegments({ seconds: 2, size: '320x180' });
    const body = new Uint8Array(segments[0]?.bytes ?? []);
    const times = { alone: [] as number[], beside: [] as number[] };
    let number = 0;
    const phase = async (into: number[] | undefined): Promise<void> => {
      for (let count = 0; count < UPLOADS_OF_PHASE; count += 1) {
        const startMs = performance.now();
        const { status } = await upload('small', number++, body);
        if (status !== 201) throw new Error(`A small upload was answered with ${status}.`);
        into?.push(performance.now() - startMs);
      }
    };
    await phase(undefined);
    for (let count = 0; count < PHASES; count += 1) {
      await phase(times.alone);
      const release = join(folder, `release-${count}`);
      const hostile = upload('hostile', 0, spinning(release, 'long'));
      await phase(times.beside);
      await writeFile(release, '');
      await hostile;
    }
    const [alone, beside] = [quantile(times.alone, 0.95), quantile(times.beside, 0.95)];
    const note = `${alone.toFixed(0)} ms alone`;
    return [
      { name: 'small upload beside a hostile one : alone, p95', value: beside / alone },
      { name: 'small upload beside a hostile one, p95 ms', value: beside, note },
    ];
  });

async function makeSegment(seconds: number): Promise<Uint8Array> {
  const { segments } = await makeSegments({ ...BUSY, seconds, hlsTime: seconds });
  if (!segments[0]) throw new Error('ffmpeg made no segment to measure with.');
  return segments[0].bytes;
}

async function timeInspection(bytes: Uint8Array): Promise<number> {
  const startMs = performance.now();
  await inspectSegment(bytes);
  return performance.now() - startMs;
}
