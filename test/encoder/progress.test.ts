import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Receipt } from '../../lib/api/messages.ts';
import { Progress } from '../../lib/encoder/progress.ts';

const receipt = (serverMs: number): Receipt => ({
  stored: true,
  videoId: 'v',
  session: 's',
  segment: 0,
  digest: '',
  sizeBytes: 1_000_000,
  durationMs: 2000,
  missing: [],
  next: 1,
  serverTime: new Date(serverMs).toISOString(),
});

test('progress: the line shows what was sent and waits, the rate, the delay and the clock offset', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 });
  const written: string[] = [];
  const progress = new Progress({
    label: 'v',
    quiet: false,
    backlog: () => ({ segments: 2, seconds: 4 }),
    output: { isTTY: true, columns: 200, write: (text) => written.push(text) },
  });
  t.mock.timers.tick(4000);
  for (const spooledAtMs of [1_002_000, 1_003_500]) {
    progress.sent({ sizeBytes: 1_000_000, spooledAtMs }, receipt(1_003_800));
  }
  assert.equal(
    progress.line(),
    'v: sent 2, waiting 2 (4.0 s), 4.0 Mbit/s, 1.00 × real time, delay 0.5 s, server clock -0.2 s',
  );
  t.mock.timers.tick(500);
  assert.ok(written.at(-1)?.startsWith('\r\u001b[Kv: sent 2, '), 'written over the line before');
  progress.info('News.');
  assert.deepEqual(written.slice(-2), ['\r\u001b[K', 'News.\n']);
  t.mock.timers.tick(20_000);
  assert.match(progress.line(), /sent 2, waiting 2 \(4\.0 s\), 0\.0 Mbit\/s, 0\.00 × real time/);
  progress.stop();
  const lines = written.length;
  t.mock.timers.tick(20_000);
  assert.equal(written.length, lines);
});

test('progress: without a terminal there is a line every ten seconds, and --quiet leaves only warnings', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) };
  const common = { label: 'v', backlog: () => ({ segments: 0 }), output };
  const plain = new Progress({ ...common, quiet: false });
  t.mock.timers.tick(20_000);
  plain.stop();
  const line = 'v: sent 0, waiting 0, 0.0 Mbit/s, 0.00 × real time\n';
  assert.deepEqual(written.splice(0), [line, line]);
  const quiet = new Progress({ ...common, quiet: true });
  t.mock.timers.tick(60_000);
  quiet.info('News.');
  quiet.warn('Trouble.');
  assert.deepEqual(written, ['Trouble.\n']);
});
