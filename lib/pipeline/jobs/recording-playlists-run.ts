/**
 * Makes the playlists of a long recording, and its MPD: those of all renditions in one reading of its entries,
 * compressed as they grow. A week in segments of two seconds has 302,400 entries: 42 MB as text, 4 MB
 * compressed. What is stored is named by what it holds, so doing it twice changes nothing.
 */

import { createGzip, type Gzip } from 'node:zlib';
import {
  compressedKey,
  recordingManifestKey,
  recordingPlaylistKey,
  recordingVersion,
} from '../../domain/object-keys.ts';
import { listsOf } from '../../domain/pictures/trick-play.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { WorkerDeps } from '../deps.ts';
import type { StoredRecording } from '../records/record-types.ts';
import { GZIP_LEVEL } from '../view/document.ts';
import { periodBuilder, recordingManifest } from '../view/manifest.ts';
import { MarkerLogs } from '../view/marker-logs.ts';
import { recordedTags, recordingTexts } from '../view/recording-playlists.ts';
import type { JobBody, JobContext, JobResult } from './job-kind.ts';

type Found = Readonly<{ stream: Stream; state: TimelineState }>;

/** `obsolete`: the stream is gone, or goes on. Throws what `signal` was aborted with. */
export async function runRecordingPlaylists(
  deps: WorkerDeps,
  job: JobBody,
  { signal }: JobContext,
): Promise<JobResult> {
  let found = await find(deps, job);
  while (found) {
    const { stream, state } = found;
    const version = versionOf(state);
    const stored =
      version === undefined
        ? undefined
        : ((await storedBefore(deps, stream, state, version)) ??
          (await makeAll(deps, stream, state, version, signal)));
    if (stored === 'gone') break;
    await deps.records.putRecordingPlaylists(stream, stored ? { stored } : {});
    // Nobody has queued this job again for what changed until here, as it was on its way.
    found = await find(deps, job);
    if (found && versionOf(found.state) === version) return version ? 'done' : 'obsolete';
  }
  return 'obsolete';
}

/** undefined: the stream was deleted. */
async function find({ records }: WorkerDeps, job: JobBody): Promise<Found | undefined> {
  const stream = (await records.findStream(job.videoId))?.value;
  if (stream?.uid !== job.uid) return undefined;
  return { stream, state: (await records.timeline(stream)).value };
}

/** undefined: the stream has not ended, or goes on. */
const versionOf = (state: TimelineState): string | undefined =>
  state.endedAtMs === undefined ? undefined : recordingVersion(state);

/** undefined unless all of this version are there. */
async function storedBefore(
  { records, media }: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  version: string,
): Promise<StoredRecording | undefined> {
  const { stored } = (await records.recordingPlaylists(stream)).value;
  if (stored?.version !== version) return undefined;
  const keys = listsOf(state).map((name) => keyOf(stream, name, version));
  const heads = await Promise.all(
    [...keys, manifestKeyOf(stream, version)].map((key) => media.head(key)),
  );
  return heads.every((head) => head !== undefined) ? stored : undefined;
}

async function makeAll(
  deps: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  version: string,
  signal: AbortSignal,
): Promise<StoredRecording | 'gone'> {
  const names = listsOf(state);
  const playlists = names.map((name) => ({
    key: keyOf(stream, name, version),
    gzip: new GrowingGzip(),
  }));
  let durationTicks = 0;
  // Those that there are now: what comes later is in the JSON of the markers alone.
  const log = await new MarkerLogs(deps).of(stream, state);
  const tags = recordedTags(log, stream, state, deps.clock.now());
  const builder = periodBuilder(stream, state);
  const parts = recordingTexts(deps.records, stream, state, names, tags, builder);
  for await (const { texts, endTicks } of parts) {
    signal.throwIfAborted();
    await Promise.all(playlists.map(({ gzip }, index) => gzip.append(texts[index] ?? '')));
    durationTicks = endTicks;
  }
  const manifest = { key: manifestKeyOf(stream, version), gzip: new GrowingGzip() };
  await manifest.gzip.append(recordingManifest(stream, state, builder.periods, tags));
  const made = await Promise.all(
    [...playlists, manifest].map(async ({ key, gzip }) => ({ key, bytes: await gzip.end() })),
  );
  // Its objects went with the stream: none is left behind.
  if (!(await find(deps, stream))) return 'gone';
  await Promise.all(made.map(({ key, bytes }) => deps.media.put(key, bytes, 'application/gzip')));
  const { lateArrivals, captions, kept } = state;
  return {
    ...{ version, lateArrivals, durationSeconds: ticksToSeconds(durationTicks) },
    ...(captions && { captionVersion: captions.version }),
    ...(kept && { keptVersion: kept.version }),
  };
}

const keyOf = (stream: Stream, rendition: string, version: string): string =>
  compressedKey(recordingPlaylistKey(stream, rendition, version));

const manifestKeyOf = (stream: Stream, version: string): string =>
  compressedKey(recordingManifestKey(stream, version));

class GrowingGzip {
  readonly #gzip: Gzip = createGzip({ level: GZIP_LEVEL });
  readonly #chunks: Uint8Array[] = [];
  readonly #ended: Promise<void>;

  constructor() {
    this.#ended = new Promise((resolve, reject) => {
      this.#gzip.on('end', resolve).on('error', reject);
    });
    this.#gzip.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk));
  }

  /** Resolves when it is compressed, so that no more than a few pages wait. */
  append(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gzip.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  async end(): Promise<Uint8Array> {
    this.#gzip.end();
    await this.#ended;
    return Buffer.concat(this.#chunks);
  }
}
