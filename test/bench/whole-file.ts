/**
 * A whole file that is uploaded as it is, against one ffmpeg over the file: `BENCH_FILE_SECONDS` of it, ten
 * minutes by default.
 */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiClient } from '../../lib/api/client.ts';
import { sendFile } from '../../lib/api/send-file.ts';
import { bareLadder } from './bare-ladder.ts';
import { processorSeconds } from './processor-time.ts';
import type { Figure } from './report.ts';
import { bareFfmpeg, makeSource, waitForEnd, withSurroundings } from './surroundings.ts';

const SECONDS = Number(process.env.BENCH_FILE_SECONDS ?? 600);
const PICTURE = { widthPx: 1920, heightPx: 1080, framesPerSecond: 30 };
const POLL_MS = 50;

export const measureWholeFile = (): Promise<Figure[]> =>
  withSurroundings(async ({ folder, start }) => {
    const source = join(folder, 'source.ts');
    const clip = { size: '1920x1080', seconds: SECONDS, kbps: 6000, keyframeEvery: 120 };
    await makeSource(source, clip);
    const ownSeconds = await processorSeconds(process.pid);
    const bareMs = await bareFfmpeg(bareLadder(source, folder, PICTURE));
    const bareSeconds = (await processorSeconds(process.pid)) - ownSeconds;
    const system = await start();
    const systemSeconds = await processorSeconds(Number(system.process.pid));
    const api = createApiClient({ baseUrl: system.url, key: system.ownerKey });
    const file = await open(source);
    const { size: sizeBytes } = await file.stat();
    const read = async (from: number, to: number) => {
      const bytes = new Uint8Array(to - from);
      await file.read(bytes, 0, bytes.length, from);
      return bytes;
    };
    const { signal } = new AbortController();
    const call = <T>(attempt: (signal: AbortSignal) => Promise<T>) => attempt(signal);
    await sendFile(
      api,
      { videoId: 'film', name: 'film.ts', sizeBytes, read },
      { parallel: 2, signal, call, onProgress: () => undefined },
    );
    await file.close();
    const startMs = performance.now();
    while ((await api.getState('film')).durationSeconds === 0) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const playableMs = performance.now() - startMs;
    await waitForEnd(system, 'film');
    const wholeMs = performance.now() - startMs;
    const wholeSeconds = (await processorSeconds(Number(system.process.pid))) - systemSeconds;
    await system.kill('SIGTERM');
    return [
      { name: `one-pass ffmpeg, ${SECONDS} s of 1080p30, s`, value: bareMs / 1000 },
      { name: 'whole file, from the end of its upload, s', value: wholeMs / 1000 },
      { name: 'whole file : one-pass ffmpeg', value: wholeMs / bareMs },
      { name: 'one-pass ffmpeg, CPU s', value: bareSeconds },
      {
        name: 'whole file with its upload : one-pass ffmpeg, CPU',
        value: wholeSeconds / bareSeconds,
      },
      { name: 'whole file, first playable, s', value: playableMs / 1000 },
    ];
  });
