import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { planPublication } from '../../lib/domain/publication.ts';
import { EMPTY_TIMELINE } from '../../lib/domain/timeline.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const SEGMENT_TICKS = 360_000;
/** One more than a request makes playlists of. */
const ENTRIES = 20_001;
const BATCH = 80;
const VIDEO = {
  kind: 'video' as const,
  codecString: 'avc1.64001f',
  widthPx: 1280,
  heightPx: 720,
  framesPerSecond: 30,
};

/** A live stream that has published so many segments, as the publisher writes them. */
async function fill(dataPath: string): Promise<void> {
  const ports = embeddedPorts(openDataFolder(dataPath));
  const { records } = withRecords(ports);
  const made = newStream('week', Date.now());
  const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds: 40 };
  const stream = { ...made, settings: { ...settings, idleTimeoutSeconds: null } };
  await records.createStream(stream);
  const anchor = { anchorTicks: 0, anchorMs: Date.now() - ENTRIES * 4000 };
  const run = { run: 1, firstNumber: 0, createdAtMs: anchor.anchorMs, ...anchor };
  let state = EMPTY_TIMELINE;
  for (let from = 0, version = 0; from < ENTRIES; from += BATCH, version += 1) {
    const count = Math.min(BATCH, ENTRIES - from);
    const known = Array.from({ length: count }, (_, index) => from + index);
    const outcomes = known.map((number) => ({
      ...{ type: 'rendered' as const, run: 1, number },
      startTicks: number * SEGMENT_TICKS,
      durationTicks: SEGMENT_TICKS,
      renditions: {
        '720p': { key: `media/week/720p/1-${number}.m4s`, initKey: 'media/i.mp4', sizeBytes: 9 },
      },
      catalogue: { '720p': VIDEO },
      ...{ uploadedAtMs: 0, completedAtMs: 0 },
    }));
    const rules = { holeGraceMs: 8000, targetDurationSeconds: 4 };
    const plan = planPublication(state, { ...run, known, outcomes, isOver: false }, rules, 0);
    assert.ok(await records.appendEntries(stream, plan.entries, plan.state, version));
    state = plan.state;
  }
  const number = ENTRIES - 1;
  const times = { startTicks: number * SEGMENT_TICKS, endTicks: ENTRIES * SEGMENT_TICKS };
  await records.recordSegment(
    stream,
    {
      ...{ run: 1, number, digest: 'd', sizeBytes: 9, sourceKey: 'source/last.ts' },
      facts: { container: 'ts', audio: [], ...times },
      ...{ preroll: [], timestampOffsetTicks: 0, uploadedAtMs: Date.now() },
    },
    { run: { ...run, session: 's', explicit: true, audio: [] } },
  );
  ports.close();
}

const playlist = async (system: TestSystem, path: string): Promise<string> => {
  const answer = await system.fetch(`/viewstream/metadata/${path}`, { key: null });
  assert.equal(answer.status, 200);
  return answer.text();
};

test('a long recording is offered when a worker has made its playlists, also after a restart', {
  timeout: 240_000,
}, async (t: TestContext) => {
  const dataPath = join(await temporaryFolder(t), 'data');
  await fill(dataPath);
  const alone = await startTestSystem(t, { dataPath, env: { RIVULET_WORKERS: '0' } });
  const end = await alone.fetch('/upload/week/end', { method: 'POST' });
  assert.equal(end.status, 200);
  await waitFor('the end of the live playlist', async () =>
    (await playlist(alone, 'week/720p.m3u8')).endsWith('#EXT-X-ENDLIST\n'),
  );
  assert.match(await playlist(alone, 'week.m3u8'), /^week\/720p\.m3u8$/m);
  const path = '/viewstream/metadata/week/720p.m3u8?view=vod';
  const refused = await alone.fetch(path, { key: null });
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '10']);
  const { code, hint } = (await refused.json()) as Record<string, string>;
  assert.equal(code, 'not_ready');
  assert.match(hint ?? '', /leave view=vod out/);
  await alone.kill('SIGTERM');

  const system = await startTestSystem(t, { dataPath, env: { RIVULET_WORKERS: '1' } });
  await waitFor(
    'the recording',
    async () => (await playlist(system, 'week.m3u8')).includes('week/720p.m3u8?view=vod'),
    120_000,
  );
  const recording = await playlist(system, 'week/720p.m3u8?view=vod');
  assert.equal(recording.match(/^#EXTINF:4,$/gm)?.length, ENTRIES);
  assert.match(recording, /1-20000\.m4s\n#EXT-X-ENDLIST\n$/);
});
