import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { putStream } from '../../lib/pipeline/streams.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { type HlsMediaPlaylist, parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

const WINDOWS_SECONDS = [12, 32, null] as const;

/** One thing that happens: the next segment is uploaded and transcoded, or any one, which may come twice, out of order or never. */
const event = fc.oneof(
  { weight: 24, arbitrary: fc.record({ type: fc.constant('next'), number: fc.constant(0) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('upload'), number: fc.nat({ max: 14 }) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('settle'), number: fc.nat({ max: 14 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait'), number: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart'), number: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end'), number: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('window'), number: fc.nat({ max: 2 }) }) },
);

test('live playlists: whatever happens, each one that a viewer sees follows legally from the one before', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 10, maxLength: 60 }),
      fc.constantFrom(...WINDOWS_SECONDS),
      async (events, dvrWindowSeconds) => {
        const engine = await testEngine(t);
        const made = newStream('show', START_MS);
        const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds };
        const stream = { ...made, settings };
        await engine.records.createStream(stream);
        const viewer = createViewer(engine.deps);
        const known = new Set<number>();
        let run = 1;
        let before: HlsMediaPlaylist | undefined;
        for (const { type, number: drawn } of events) {
          const next = Math.max(-1, ...known) + 1;
          const number = type === 'upload' ? drawn % (next + 3) : drawn;
          if (type === 'next') {
            known.add(next);
            await acknowledge(engine, stream, run, next);
            await settle(engine, stream, run, next);
          } else if (type === 'upload') {
            known.add(number);
            await acknowledge(engine, stream, run, number);
          } else if (type === 'settle' && known.has(number)) {
            await settle(engine, stream, run, number);
          } else if (type === 'wait') {
            engine.clock.nowMs += number * 1000;
            await publish(engine, stream);
          } else if (type === 'restart' && known.size > 0) {
            run += 1;
            known.clear();
          } else if (type === 'end') {
            await requestEnd(engine.deps, stream, 'call');
            await publish(engine, stream);
          } else if (type === 'window') {
            const change = { dvrWindowSeconds: WINDOWS_SECONDS[number] };
            await putStream(engine.deps, 'show', change, false);
            await publish(engine, stream);
          }
          const shown = await viewer.media('show', '720p', 'live').catch(() => undefined);
          if (!shown) continue;
          const cold = await createViewer(engine.deps).media('show', '720p', 'live');
          assert.equal(shown.document.text, cold.document.text, 'warm and cold say the same');
          const now = parseMediaWithHls(shown.document.text);
          requireLegal(before, now);
          before = now;
        }
      },
    ),
    { numRuns: 40 },
  );
});

/** RFC 8216bis, 6.2.1 and 6.2.2. */
function requireLegal(before: HlsMediaPlaylist | undefined, now: HlsMediaPlaylist): void {
  for (const [index, segment] of now.segments.entries()) {
    assert.equal(segment.sequence, now.mediaSequence + index);
    assert.ok(segment.durationSeconds <= now.targetDurationSeconds);
  }
  if (!before) return;
  assert.ok(now.mediaSequence >= before.mediaSequence, 'the media sequence never goes back');
  assert.equal(now.targetDurationSeconds, before.targetDurationSeconds);
  assert.equal(now.playlistType, before.playlistType, 'the playlist type never changes');
  const last = before.segments.at(-1)?.sequence ?? -1;
  assert.ok((now.segments.at(-1)?.sequence ?? -1) >= last, 'nothing is taken from the end');
  const bySequence = new Map(now.segments.map((segment) => [segment.sequence, segment]));
  for (const segment of before.segments) {
    const later = bySequence.get(segment.sequence);
    if (later) assert.deepEqual(later, segment, 'what was listed never changes');
  }
}
