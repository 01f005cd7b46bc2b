/** A stream whose segments were uploaded, transcoded and published, without a server; and the files of its clips. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Rung } from '../../lib/domain/ladder.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { type ClipFileQuery, requestClipFile } from '../../lib/pipeline/view/clips/clip-file.ts';
import { START_MS, type TestEngine, testEngine } from './engine.ts';
import { readClip, type Segment } from './media.ts';
import { type Scope, temporaryFolder } from './system.ts';

const run = promisify(execFile);

export type RecordedShow = Readonly<{
  engine: TestEngine;
  stream: Stream;
  folder: string;
  /** Uploads segments of a run of the encoder; `lost`: numbers that never come. */
  record(segments: readonly Segment[], lost?: readonly number[]): Promise<void>;
  end(): Promise<void>;
  /** Makes the file of a clip, and writes it where programs can read it. */
  file(query: ClipFileQuery): Promise<Readonly<{ key: string; path: string; bytes: Uint8Array }>>;
}>;

export async function recordShow(t: Scope, ladder: readonly Rung[]): Promise<RecordedShow> {
  const engine = await testEngine(t);
  const { deps, records, workFolder } = engine;
  const made = newStream('show', START_MS);
  const stream: Stream = {
    ...made,
    uid: 'u1',
    settings: { ...made.settings, ladder, targetDurationSeconds: 4 },
  };
  assert.ok(await records.createStream(stream));
  const folder = await temporaryFolder(t);
  let runs = 0;
  let files = 0;

  const work = async (queue: 'liveJobs' | 'backfillJobs'): Promise<void> => {
    const jobs = await deps.queues[queue].receive({ max: 10, waitMs: 0, leaseMs: 60_000 });
    const context = { workFolder, signal: new AbortController().signal };
    for (const { body } of jobs) await JOBS.run(deps, body, context);
    await deps.queues[queue].acknowledge(jobs.map(({ receipt }) => receipt));
    if (jobs.length > 0) await work(queue);
  };
  const publish = () => publishStream(deps, { videoId: 'show', uid: 'u1' });

  return {
    ...{ engine, stream, folder },
    async record(segments, lost = []) {
      runs += 1;
      for (const [number, { bytes }] of segments.entries()) {
        if (lost.includes(number)) continue;
        const found = (await records.findStream('show')) ?? assert.fail();
        const upload = { number, bytes, session: `run-${runs}`, pushed: false };
        await uploadSegment(deps, found, { ...upload, durationSeconds: 2 });
      }
      await work('liveJobs');
      await publish();
      engine.clock.nowMs += 60_000;
      await publish();
    },
    async end() {
      await requestEnd(deps, stream, 'call');
      await publish();
    },
    async file(query) {
      await requestClipFile(deps, 'show', query);
      await work('backfillJobs');
      const found = await requestClipFile(deps, 'show', query);
      assert.ok(found.type === 'ready');
      const bytes = (await deps.media.get(found.key)) ?? assert.fail();
      files += 1;
      const path = join(folder, `${files}.mp4`);
      await writeFile(path, bytes);
      return { key: found.key, path, bytes };
    },
  };
}

/** Segments of two seconds of what ffmpeg makes by these arguments: inputs, filters and encoders. */
export async function cutSegments(
  folder: string,
  args: readonly string[],
): Promise<readonly Segment[]> {
  const options = ['-f', 'hls', '-hls_time', '2', '-hls_list_size', '0', '-hls_segment_type'];
  const names = ['-hls_segment_filename', join(folder, '%d.ts'), join(folder, 'index.m3u8')];
  await run('ffmpeg', ['-nostdin', '-v', 'error', ...args, ...options, 'mpegts', ...names]);
  return (await readClip(folder)).segments;
}
