import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceWait } from '../../lib/encoder/source-wait.ts';

function setUp(listens = false) {
  const said: string[] = [];
  const clock = { ms: 0 };
  const wait = new SourceWait({
    name: 'rtsp://cam/1',
    listens,
    warn: (text) => said.push(text),
    now: () => clock.ms,
    random: () => 1,
  });
  return { said, clock, wait };
}

test('waiting for a source: the waits double up to ten seconds, for a listener to one', () => {
  const { wait } = setUp();
  const waits = Array.from({ length: 8 }, () => wait.lost('connection refused', 0));
  assert.deepEqual(waits, [300, 600, 1200, 2400, 4800, 9600, 10_000, 10_000]);
  const listener = setUp(true).wait;
  assert.deepEqual(
    [1, 2, 3, 4].map(() => listener.lost('the source ended', 2)),
    [300, 600, 1000, 1000],
  );
});

test('waiting for a source: one that dies at once again and again backs off, one that held begins anew', () => {
  const { wait } = setUp();
  assert.deepEqual(
    [0.2, 0.2, 0.2, 60, 0.2].map((seconds) => wait.lost('the source ended', seconds)),
    [300, 600, 1200, 300, 600],
  );
});

test('waiting for a source: each reason is told in one line, the same one once a minute, and its return once', () => {
  const { wait, said, clock } = setUp();
  for (const [seconds, why] of [
    [0, 'no media for 10 s'],
    [1, 'no media for 10 s'],
    [2, 'connection refused'],
    [12, 'connection refused'],
    [13, 'no media for 10 s'],
    [71, 'connection refused'],
    [73, 'connection refused'],
  ] as const) {
    clock.ms = seconds * 1000;
    wait.lost(why, 0);
  }
  wait.arrived();
  wait.arrived();
  assert.deepEqual(said, [
    'Waiting for rtsp://cam/1: no media for 10 s; trying again in 0.3 s.',
    'Waiting for rtsp://cam/1: connection refused; trying again in 2.4 s.',
    'Waiting for rtsp://cam/1: connection refused; trying again in 10.0 s.',
    'rtsp://cam/1 sends media, after 73.0 s.',
  ]);
});
