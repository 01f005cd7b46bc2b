import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  deployArguments,
  deployHint,
  destroyCommand,
  VALUED_OPTIONS,
} from '../../bin/deploy/cdk-options.ts';
import { UsageError } from '../../lib/base/command-line.ts';
import { ROOT } from './repository-files.ts';

const CDK = join(ROOT, 'node_modules', 'aws-cdk');

describe('deploy', () => {
  const cases: readonly (readonly [args: string[], all: boolean])[] = [
    [[], true],
    [['-c', 'stage=prod', '--require-approval', 'never'], true],
    [['--profile=me', '--verbose', '--hotswap'], true],
    [['rivulet-dev-core'], false],
    [['--verbose', 'rivulet-dev-core'], false],
    [['-c', 'stage=prod', 'rivulet-prod-core', '-y'], false],
  ];
  for (const [args, all] of cases) {
    test(`"${args.join(' ')}" deploys ${all ? 'all stacks' : 'the named stack only'}`, () => {
      assert.deepEqual(deployArguments(args), all ? ['--all', ...args] : args);
    });
  }

  test('the options with a value are those of the CDK’s CLI', async () => {
    for (const command of ['deploy', 'destroy']) {
      const env = { ...process.env, COLUMNS: '300' };
      const run = promisify(execFile)(
        process.execPath,
        [join(CDK, 'bin', 'cdk'), command, '--help'],
        { env },
      );
      const options = (await run).stdout.split(/\n(?= {2}-)/).slice(1);
      const unknown = options
        .filter((option) => /\[(?:string|array|number)\]/.test(option))
        .map((option) => option.match(/^ *--([a-z0-9-]+)/)?.[1] ?? option)
        .filter((name) => !Object.keys(VALUED_OPTIONS).some((known) => known.startsWith(name)));
      assert.ok(options.length > 20);
      assert.deepEqual(unknown, []);
    }
  });

  test('a failed deploy hints at npm run bootstrap only where the CDK misses it', () => {
    const cli = readFileSync(join(CDK, 'lib', 'index.js'), 'utf8');
    const messages = [
      'Has the environment been bootstrapped?',
      'Is this account bootstrapped?',
      'This CDK deployment requires bootstrap stack version ',
    ];
    for (const message of messages) {
      assert.ok(cli.includes(message), message);
      assert.match(deployHint(`❌ rivulet-dev-core failed: ${message}`) ?? '', /npm run bootstrap/);
    }
    assert.equal(
      deployHint('❌ rivulet-dev-core failed: The security token is expired'),
      undefined,
    );
  });
});

describe('destroy', () => {
  test('the stage is that of the context, and --with-media is not for the CDK', () => {
    for (const context of [['-c', 'stage=old'], ['-cstage=old'], ['--context=stage=old']]) {
      const args = ['--verbose', ...context, '--force'];
      assert.deepEqual(destroyCommand(['--with-media', ...args]), {
        stage: 'old',
        withMedia: true,
        cdkArgs: ['--all', ...args],
      });
    }
    assert.deepEqual(destroyCommand([]), { stage: 'dev', withMedia: false, cdkArgs: ['--all'] });
  });

  test('a named stack is refused: all of a stage would be removed', () => {
    assert.throws(() => destroyCommand(['--force', 'rivulet-dev-edge']), UsageError);
  });
});
