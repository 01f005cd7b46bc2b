/** Resident memory of the gateway and engine process while a thousand segments go through it. */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamView } from '../../lib/api/messages.ts';
import { waitFor } from '../support/system.ts';
import type { Figure } from './report.ts';
import {
  createStream,
  cutSource,
  makeSource,
  uploadFile,
  withSurroundings,
} from './surroundings.ts';

const SEGMENTS = 1000;
const ROUND = 50;

export const measureMemory = (): Promise<Figure[]> =>
  withSurroundings(async ({ folder, start }) => {
    const source = join(folder, 'source.mkv');
    await makeSource(source, { size: '320x180', seconds: ROUND, kbps: 1500, keyframeEvery: 30 });
    await mkdir(join(folder, 'cut'));
    const files = await cutSource(source, join(folder, 'cut'), 1);
    const system = await start();
    await createStream(system, 'long', {
      ladder: [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }],
      targetDurationSeconds: 2,
      dvrWindowSeconds: 600,
    });
    const residentMb = new Map<number, number>();
    for (let sent = 0; sent < SEGMENTS; sent += files.length) {
      // A new session each round: the same files again, as from an encoder that was started anew.
      for (const [number, file] of files.entries()) {
        await uploadFile(system, file, `/upload/long?segment=${number}&session=s${sent}`);
      }
      const seconds = (sent + files.length) * 0.99;
      await waitFor('publication', async () => (await secondsOf(system)) >= seconds, 120_000);
      residentMb.set(sent + files.length, await resident(system.process.pid));
    }
    // V8 takes its reserves in steps; by then it has them, and only what is kept could still grow.
    const warm = residentMb.get(SEGMENTS * 0.75) ?? Number.NaN;
    const end = residentMb.get(SEGMENTS) ?? Number.NaN;
    return [
      { name: 'engine memory after 750 segments, MB', value: warm },
      { name: 'engine memory after 1,000 segments, MB', value: end },
      { name: 'engine memory, 1,000 : 750 segments', value: end / warm },
    ];
  });

async function secondsOf(system: { url: string }): Promise<number> {
  const answer = await fetch(`${system.url}/viewstream/metadata/long?format=json`);
  return ((await answer.json()) as StreamView).durationSeconds;
}

async function resident(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1]) / 1024;
}
