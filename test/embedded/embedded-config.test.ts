import assert from 'node:assert/strict';
import { isAbsolute, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { ConfigError, type Environment } from '../../lib/base/environment.ts';
import { serverConfig, workerConfig } from '../../lib/embedded/embedded-config.ts';

/** The lines of the error that an environment leads to. */
function problems(read: (env: Environment) => unknown, env: Environment): string[] {
  try {
    read(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n');
  }
  return assert.fail('The environment was accepted.');
}

describe('the settings of the server on one machine', () => {
  test('have defaults that suit the machine and leave the server to its owner', () => {
    assert.deepEqual(serverConfig({}, 8), {
      port: 8080,
      host: '127.0.0.1',
      dataPath: resolve('.rivulet'),
      workers: 4,
      jobs: 2,
      idleMs: 300_000,
      retentionDays: 0,
    });
    assert.equal(serverConfig({}, 1).workers, 1);
    assert.equal(serverConfig({}, 3).workers, 1);
    assert.ok(serverConfig({}).workers >= 1);
    assert.deepEqual(workerConfig({}), { dataPath: resolve('.rivulet'), jobs: 2 });
  });

  test('are taken from the environment, and what belongs to others is passed over', () => {
    const env = {
      PORT: '0',
      HOST: '::',
      RIVULET_DATA: 'some/folder',
      RIVULET_OWNER_KEY: 'aZ09-._~aZ09-._~',
      RIVULET_COUNTRY_HEADER: 'CF-IPCountry',
      RIVULET_WORKERS: '0',
      RIVULET_JOBS: '32',
      RIVULET_IDLE_SECONDS: '5',
      RIVULET_RETENTION_DAYS: '30',
      RIVULET_KEY: 'the encoder’s',
      PATH: '/usr/bin',
    };
    const config = serverConfig(env, 8);
    assert.deepEqual(config, {
      port: 0,
      host: '::',
      dataPath: resolve('some/folder'),
      ownerKey: 'aZ09-._~aZ09-._~',
      countryHeader: 'CF-IPCountry',
      workers: 0,
      jobs: 32,
      idleMs: 5000,
      retentionDays: 30,
    });
    assert.ok(isAbsolute(config.dataPath));
    assert.deepEqual(workerConfig(env), { dataPath: resolve('some/folder'), jobs: 32 });
  });

  test('that are empty count as not given', () => {
    assert.deepEqual(
      serverConfig({ PORT: '', RIVULET_DATA: '', RIVULET_OWNER_KEY: '', RIVULET_WORKER: '' }, 2),
      serverConfig({}, 2),
    );
  });

  test('that are wrong are all named at once, with what came and what was expected', () => {
    const env = { PORT: '80a', HOST: 'my host', RIVULET_WORKERS: '65', RIVULET_WORKER: '3' };
    assert.deepEqual(problems(serverConfig, env), [
      'PORT is "80a"; expected: a whole number from 0 to 65535.',
      'HOST is "my host"; expected: a host name or an IP address, like 0.0.0.0.',
      'RIVULET_WORKERS is "65"; expected: a whole number from 0 to 64.',
      'RIVULET_WORKER is an unknown setting; did you mean RIVULET_WORKERS?',
    ]);
    for (const PORT of ['65536', '-1', '1.5', '1e3', '0x10', ' 80', '٣']) {
      assert.match(
        problems(serverConfig, { PORT }).join(),
        /^PORT is .*; expected: a whole number/,
      );
    }
    for (const RIVULET_JOBS of ['0', '33', 'two']) {
      assert.equal(problems(workerConfig, { RIVULET_JOBS }).length, 1);
      assert.equal(problems(serverConfig, { RIVULET_JOBS }).length, 1);
    }
    for (const RIVULET_IDLE_SECONDS of ['0', '86401', '0.5', '1m']) {
      assert.deepEqual(problems(serverConfig, { RIVULET_IDLE_SECONDS }), [
        `RIVULET_IDLE_SECONDS is "${RIVULET_IDLE_SECONDS}"; expected: a whole number from 1 to 86400.`,
      ]);
    }
    assert.match(problems(workerConfig, { RIVULET_DTA: 'x' }).join(), /did you mean RIVULET_DATA/);
    assert.match(problems(workerConfig, { RIVULET_JOB: '1' }).join(), /did you mean RIVULET_JOBS/);
  });

  test('that are secret never show up in a message', () => {
    for (const RIVULET_OWNER_KEY of [
      'short',
      'has/slashes/and/is/long',
      'with space in the middle',
    ]) {
      const [message = ''] = problems(serverConfig, { RIVULET_OWNER_KEY });
      assert.ok(!message.includes(RIVULET_OWNER_KEY));
      assert.match(message, /^RIVULET_OWNER_KEY is a text of \d+ characters; expected: 16 or more/);
    }
  });
});
