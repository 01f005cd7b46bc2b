/** Files that an encoder pushes to a stream of an embedded engine, without a worker. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { IgnoredFile } from '../../lib/api/messages.ts';
import type { SegmentOutcome } from '../../lib/domain/segment.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { pushFile } from '../../lib/pipeline/ingest/push.ts';
import type { UploadResult } from '../../lib/pipeline/ingest/upload.ts';
import { START_MS, testEngine } from './engine.ts';
import { type ClipOptions, makeSegments } from './media.ts';

export async function pushTo(t: TestContext) {
  const { deps, records, workFolder, clock } = await testEngine(t);
  const stream = newStream('show', START_MS);
  await records.createStream(stream);
  const pushAny = async (name: string, body: Uint8Array | string) => {
    const now = (await records.findStream('show')) ?? assert.fail();
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return pushFile(deps, now, { name, bytes });
  };
  return {
    deps,
    records,
    workFolder,
    clock,
    stream,
    pushAny,
    /** A segment that is taken. */
    push: async (name: string, body: Uint8Array | string): Promise<UploadResult> => {
      const result = await pushAny(name, body);
      assert.ok(result && 'receipt' in result, name);
      return result;
    },
    /** A file that is not used, and why. */
    pushIgnored: async (name: string, body: Uint8Array | string) => {
      const result = await pushAny(name, body);
      assert.ok(result && 'ignored' in result, `${name} ${JSON.stringify(result)}`);
      return (result as IgnoredFile).notices.map(({ code }) => code);
    },
    completed: (number: number) =>
      records.recordOutcome(stream, {
        ...{ type: 'rendered', run: 1, number, startTicks: 0, durationTicks: 1 },
        ...{ renditions: {}, catalogue: {}, uploadedAtMs: START_MS, completedAtMs: START_MS },
      } satisfies SegmentOutcome),
    numbersOf: (run: number) => records.numbersFrom(stream, run, 0, 100),
    runCount: async () => (await records.runs(stream)).length,
  };
}

/** Segments of two seconds each. */
export async function clip(options: ClipOptions = {}): Promise<Uint8Array[]> {
  const { segments } = await makeSegments({ seconds: 10, size: '64x36', ...options });
  return segments.map(({ bytes }) => bytes);
}

/** The same seconds in other bytes. */
export const otherClip = () => clip({ videoArgs: ['-crf', '40'] });
export const largeClip = () => clip({ size: '128x72' });

export const at = <T>(list: readonly T[], index: number): T =>
  list[index] ?? assert.fail(`no ${index}`);

export const playlistOf = (
  names: readonly string[],
  { first = 0, ended = false, tags = '' } = {},
): string =>
  [
    ...['#EXTM3U', '#EXT-X-TARGETDURATION:3', `#EXT-X-MEDIA-SEQUENCE:${first}`, tags],
    ...names.flatMap((name) => ['#EXTINF:2.000000,', name]),
    ...(ended ? ['#EXT-X-ENDLIST'] : []),
  ].join('\n');
