/**
 * An upload of a segment of two seconds with its inspection in the pool, as it is, against the same
 * upload with its inspection in the thread that serves: over HTTP, until the receipt. Both take turns
 * in one process. Beside it what the inspection alone takes.
 */

import { inspectSegment } from '../../lib/media/inspect.ts';
import { inspectionThreads } from '../../lib/media/threads/media-threads.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { digestOf } from '../../lib/pipeline/digest.ts';
import { commitPresigned } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { OWNER_KEY } from '../support/engine.ts';
import { startGateway } from '../support/hostile-gateway.ts';
import { makeSegments } from '../support/media.ts';
import type { Scope } from '../support/system.ts';
import { type Figure, quantile } from './report.ts';
import { withSurroundings } from './surroundings.ts';

const SECONDS = 2;
/** The first of them are not counted: until both are compiled. */
const ROUNDS = 81;
const WARM_UP = 30;

/** Bodies have up to 4.5 MB; the largest segment comes by a presigned upload, and is committed. */
const SIZES = [
  { name: 'an upload of 0.2 MB', kbps: 600, isPresigned: false },
  { name: 'an upload of 1 MB', kbps: 3_800, isPresigned: false },
  { name: 'the commit of 6 MB', kbps: 19_000, isPresigned: true },
] as const;

/** What the pool does, without threads. */
const IN_LINE = {
  run: (_name: 'inspectSegment', _group: string, args: Parameters<typeof inspectSegment>) =>
    inspectSegment(...args),
} as unknown as Deps['inspection'];

export const measureUpload = (): Promise<Figure[]> =>
  withSurroundings(async ({ scope }) => {
    const threads = inspectionThreads((error) => {
      throw error;
    });
    const pool = await startIngest(scope, threads);
    const line = await startIngest(scope, IN_LINE);
    const figures: Figure[] = [];
    for (const { name, kbps, isPresigned } of SIZES) {
      const bytes = await makeSegment(kbps);
      const whole = await takeTurns(
        () => (isPresigned ? pool.commit(bytes) : pool.upload(bytes)),
        () => (isPresigned ? line.commit(bytes) : line.upload(bytes)),
      );
      const alone = await takeTurns(
        () => timed(() => threads.run('inspectSegment', '', [bytes])),
        () => timed(() => inspectSegment(bytes)),
      );
      const megabytes = `${(bytes.byteLength / 1e6).toFixed(1)} MB`;
      const noteOf = ({ inPoolMs, inLineMs }: Turns) =>
        `${inPoolMs.toFixed(2)} ms, ${inLineMs.toFixed(2)} ms in line, ${megabytes}`;
      figures.push(
        { name: `${name}, inspection in the pool : in line, median`, value: whole.ratio },
        { name: `${name}, median ms`, value: whole.inPoolMs, note: noteOf(whole) },
        {
          name: `${name}, its inspection alone, in the pool : in line, median`,
          value: alone.ratio,
          note: noteOf(alone),
        },
      );
    }
    return figures;
  });

type Turns = Readonly<{ ratio: number; inPoolMs: number; inLineMs: number }>;

/** Medians; `ratio`: of pairs that follow each other, which what else the machine does hits alike. */
async function takeTurns(
  inPool: () => Promise<number>,
  inLine: () => Promise<number>,
): Promise<Turns> {
  const pairs: { inPoolMs: number; inLineMs: number }[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const isFirst = round % 2 === 0;
    const before = isFirst ? undefined : await inLine();
    const inPoolMs = await inPool();
    const inLineMs = before ?? (await inLine());
    if (round >= 0) pairs.push({ inPoolMs, inLineMs });
  }
  const median = (of: (pair: (typeof pairs)[number]) => number) => quantile(pairs.map(of), 0.5);
  return {
    ratio: median((pair) => pair.inPoolMs / pair.inLineMs),
    inPoolMs: median((pair) => pair.inPoolMs),
    inLineMs: median((pair) => pair.inLineMs),
  };
}

/** A gateway on an engine of its own; both calls return milliseconds. */
async function startIngest(scope: Scope, inspection: Deps['inspection']) {
  const { deps, request, upload } = await startGateway(scope, inspection);
  let number = 0;
  return {
    upload: (bytes: Uint8Array<ArrayBuffer>) =>
      timed(async () => {
        const { status } = await upload('bench', number++, bytes);
        if (status !== 201) throw new Error(`An upload was answered with ${status}.`);
      }),
    commit: async (bytes: Uint8Array) => {
      const query = `segment=${number++}&size=${bytes.byteLength}&digest=${digestOf(bytes)}`;
      const headers = { authorization: `Bearer ${OWNER_KEY}` };
      const answer = await request(`/upload/bench?${query}`, { method: 'POST', headers });
      const { upload: presigned } = (await answer.json()) as { upload: { url: string } };
      const key = new URL(presigned.url).pathname.replace(/^\/[^/]*\//, '');
      await deps.media.put(key, bytes, 'application/octet-stream');
      return timed(() => commitPresigned(deps, key));
    },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Noise, at this rate. */
async function makeSegment(kbps: number): Promise<Uint8Array<ArrayBuffer>> {
  const rate = `${kbps}k`;
  const { segments } = await makeSegments({
    ...{ seconds: SECONDS, hlsTime: SECONDS, size: '1280x720', filter: 'noise=alls=60:allf=t' },
    videoArgs: ['-b:v', rate, '-maxrate', rate, '-bufsize', rate],
  });
  if (!segments[0]) throw new Error('ffmpeg made no segment to measure with.');
  return new Uint8Array(segments[0].bytes);
}
