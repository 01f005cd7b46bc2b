import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stopParts } from '../../bin/serve/stop-parts.ts';

const never = () => new Promise<void>(() => {});

describe('stopping', () => {
  test('names the parts that hang, and begins nothing that rests on them', async () => {
    const stopped: string[] = [];
    const part = (name: string) => async () => void stopped.push(name);
    const stages = [{ requests: part('requests'), workers: never }, { files: part('files') }];
    assert.deepEqual(await stopParts(stages, 20, assert.fail), ['workers']);
    assert.deepEqual(stopped, ['requests']);
  });

  test('goes from stage to stage, and reports a part that fails without waiting for it', async () => {
    const stopped: string[] = [];
    const reported: string[] = [];
    const stages = [
      {
        requests: () => {
          throw new Error('broken');
        },
        workers: async () => void stopped.push('workers'),
      },
      { files: () => stopped.push('files') },
    ];
    const left = await stopParts(stages, 60_000, (error, what) =>
      reported.push(`${what}: ${error}`),
    );
    assert.deepEqual(left, []);
    assert.deepEqual(stopped, ['workers', 'files']);
    assert.deepEqual(reported, ['stopping requests: Error: broken']);
  });
});
