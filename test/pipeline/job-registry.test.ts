import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WorkerDeps } from '../../lib/pipeline/deps.ts';
import type { JobContext, JobKind } from '../../lib/pipeline/jobs/job-kind.ts';
import { JOBS, jobRegistry } from '../../lib/pipeline/jobs/registry.ts';
import { transcode } from '../../lib/pipeline/jobs/transcode.ts';

// biome-ignore lint/suspicious/noExplicitAny: as in the registry.
type AnyKind = JobKind<any>;

const kind = (name: string, more: Partial<AnyKind> = {}): AnyKind => ({
  name,
  class: 'analysis',
  weight: 1,
  blocksPublishing: false,
  schema: { parse: (message) => message },
  run: async () => 'done',
  giveUp: async () => {},
  ...more,
});

const lacking = (name: string, part: 'run' | 'giveUp' | 'schema'): AnyKind => {
  const { [part]: _, ...rest } = kind(name);
  return rest as AnyKind;
};

const DEPS = {} as WorkerDeps;
const CONTEXT: JobContext = { workFolder: '/nowhere', signal: new AbortController().signal };

describe('the registry of kinds of jobs', () => {
  test('refuses two kinds of one name, and says which', () => {
    const twice = [kind('captions'), kind('motion'), kind('captions')];
    assert.throws(() => jobRegistry(twice), /registered twice: captions\.$/);
  });

  for (const part of ['run', 'giveUp', 'schema'] as const) {
    test(`refuses a kind without "${part}", and says which`, () => {
      const kinds = [transcode, lacking('captions', part)];
      assert.throws(() => jobRegistry(kinds), /"captions" has no handler/);
    });
  }

  test('throws for a message of a kind that it does not know, or of none', async () => {
    const jobs = jobRegistry([transcode]);
    for (const body of ['{"kind":"captions","uid":"u"}', '{"uid":"u"}', '{"kind":"toString"}']) {
      await assert.rejects(jobs.run(DEPS, body, CONTEXT), /No kind of job is called/);
      await assert.rejects(jobs.giveUp(DEPS, body, 'why'), /No kind of job is called/);
    }
    await assert.rejects(jobs.run(DEPS, 'no JSON', CONTEXT), SyntaxError);
  });

  test('throws for a message that its kind does not take', async () => {
    const body = JSON.stringify({ kind: 'transcode', videoId: 'show', uid: 'u', run: 1 });
    await assert.rejects(JOBS.run(DEPS, body, CONTEXT), /no job of a segment/);
    await assert.rejects(JOBS.giveUp(DEPS, body, 'why'), /no job of a segment/);
  });

  test('knows whether publishing waits for a job, by its message', () => {
    const jobs = jobRegistry([kind('a'), kind('b', { blocksPublishing: true })]);
    assert.deepEqual(['{"kind":"a"}', '{"kind":"b"}'].map(jobs.blocksPublishing), [false, true]);
  });

  test('hands a job to its own kind, without the name of the kind', async () => {
    const calls: unknown[] = [];
    const recording = (name: string) =>
      kind(name, {
        run: async (_deps, job) => {
          calls.push([name, 'run', job]);
          return 'failed';
        },
        giveUp: async (_deps, job, reason) => void calls.push([name, reason, job]),
      });
    const jobs = jobRegistry([recording('a'), recording('b')]);
    assert.equal(await jobs.run(DEPS, '{"kind":"b","uid":"u"}', CONTEXT), 'failed');
    await jobs.giveUp(DEPS, '{"kind":"a","uid":"u"}', 'too often');
    assert.deepEqual(calls, [
      ['b', 'run', { uid: 'u' }],
      ['a', 'too often', { uid: 'u' }],
    ]);
  });

  test('notifies the publisher of a job that was done or has failed, and not of an obsolete one', async () => {
    const sent: unknown[] = [];
    const queues = { publish: { send: async (messages: unknown) => void sent.push(messages) } };
    const deps = { queues } as unknown as WorkerDeps;
    const body = JSON.stringify({ kind: 'a', videoId: 'v', uid: 'u', run: 2, number: 3, more: 1 });
    for (const result of ['done', 'failed', 'obsolete'] as const) {
      const blocking = kind('a', { blocksPublishing: true, run: async () => result });
      await jobRegistry([blocking]).run(deps, body, CONTEXT);
      await jobRegistry([kind('a', { run: async () => result })]).run(deps, body, CONTEXT);
    }
    const request = { videoId: 'v', uid: 'u', completed: { run: 2, number: 3 } };
    const message = [{ body: JSON.stringify(request), group: 'u' }];
    assert.deepEqual(sent, [message, message]);
  });

  test('does not notify the publisher of a job that threw: it comes again', async () => {
    const failing = kind('a', {
      blocksPublishing: true,
      run: () => Promise.reject(new Error('by the test')),
    });
    const body = '{"kind":"a","uid":"u","run":1,"number":1}';
    await assert.rejects(jobRegistry([failing]).run(DEPS, body, CONTEXT), /by the test/);
  });

  test('knows the classes that have kinds, the most urgent first', () => {
    assert.deepEqual(JOBS.classes, ['live', 'backfill', 'analysis']);
    const kinds = [kind('a'), kind('b', { class: 'live' })];
    assert.deepEqual(jobRegistry(kinds).classes, ['live', 'analysis']);
    const all = [...kinds, kind('c', { class: 'backfill' })];
    assert.deepEqual(jobRegistry(all).classes, ['live', 'backfill', 'analysis']);
  });

  test('weighs a class by the mean of its kinds', () => {
    const kinds = [kind('a', { weight: 0.25 }), kind('b', { weight: 0.75 })];
    const jobs = jobRegistry([...kinds, kind('c', { class: 'live', weight: 3 })]);
    assert.deepEqual([jobs.weightOf('analysis'), jobs.weightOf('live')], [0.5, 3]);
    assert.equal(JOBS.weightOf('live'), 1, 'a transcode is the unit');
  });
});
