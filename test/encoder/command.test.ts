import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../lib/base/command-line.ts';
import { parseCommand } from '../../lib/encoder/command.ts';
import { startEncoder } from './encoder-process.ts';

const WHERE = ['--to', 'http://host', '--stream', 'v'];

test('encoder command line: each wrong use names the option and what was expected', () => {
  const wrong: readonly (readonly [args: string[], message: RegExp])[] = [
    [[], /^INPUT is missing; expected: a file, a device, a URL/],
    [
      ['a.mp4', 'b.mp4', ...WHERE],
      /^Unexpected second input "b\.mp4"; the first one is "a\.mp4"\.$/,
    ],
    [['a.mp4', '--stream', 'v'], /^--to is missing; expected: an http or https URL/],
    [['a.mp4', '--to', 'http://host'], /^--stream is missing; expected: the id of a stream/],
    [
      ['a.mp4', ...WHERE, '--to', 'ftp://host'],
      /^--to is "ftp:\/\/host"; expected: an http or https URL/,
    ],
    [['a.mp4', ...WHERE, '--stream', 'no/id'], /^--stream is "no\/id"; expected: the id/],
    [['a.mp4', ...WHERE, '--stream', 'metadata'], /^--stream is "metadata"/],
    [['a.mp4', '--to', '--stream', 'v'], /^--to has no value; expected: an http/],
    [['a.mp4', ...WHERE, '--key'], /^--key has no value; expected: a key/],
    [['a.mp4', ...WHERE, '--key='], /^--key has no value; expected: a key/],
    [
      ['a.mp4', ...WHERE, '--segment-seconds', '0'],
      /^--segment-seconds is "0"; expected: a number of seconds from 0\.5/,
    ],
    [['a.mp4', ...WHERE, '--segment-seconds', 'two'], /^--segment-seconds is "two"/],
    [
      ['a.mp4', ...WHERE, '--bitrate', '4 MB'],
      /^--bitrate is "4 MB"; expected: a bit rate such as/,
    ],
    [['a.mp4', ...WHERE, '--size', '720p'], /^--size is "720p"; expected: a width and a height/],
    [
      ['a.mp4', ...WHERE, '--duration', '-1'],
      /^--duration .*expected: a number of seconds above 0/,
    ],
    [
      ['a.mp4', ...WHERE, '--parallel', '17'],
      /^--parallel is "17"; expected: a whole number from 1 to 16/,
    ],
    [['a.mp4', ...WHERE, '--session', 'a b'], /^--session is "a b"; expected: 1 to 128/],
    [['a.mp4', ...WHERE, '--quiet=yes'], /^--quiet takes no value, but "yes" was given/],
    [['a.mp4', ...WHERE, '--steam', 'v'], /^Unknown option --steam; did you mean --stream\?$/],
    [['a.mp4', ...WHERE, '-x'], /^Unknown option -x; expected: one of --to, --stream/],
    [['a.mp4', ...WHERE, '--vod', '--live'], /^--live and --vod cannot be combined\.$/],
    [['a.mp4', ...WHERE, '--copy', '--encode'], /^--copy and --encode cannot be combined/],
    [['a.mp4', ...WHERE, '--copy', '--bitrate', '1M'], /^--copy and --bitrate cannot be combined/],
    [
      ['a.mp4', ...WHERE, '--live', '--as-fast-as-possible'],
      /^--live and --as-fast-as-possible cannot be combined/,
    ],
    [['a.mp4', ...WHERE, '--audio-only'], /^--lang is missing; expected: a language such as fr/],
    [['a.mp4', ...WHERE, '--lang', 'fr'], /^--lang is for --audio-only and --captions\.$/],
    [['a.vtt', ...WHERE, '--captions'], /^--lang is missing; expected: a language such as fr/],
    [['a.mp4', ...WHERE, '--sdh'], /^--sdh is for --captions\.$/],
    [
      ['a.vtt', ...WHERE, '--captions', '--lang', 'de', '--loop'],
      /^--loop and --captions cannot be combined\.$/,
    ],
    [
      ['a.mp4', ...WHERE, '--audio-only', '--lang', 'no language'],
      /^--lang is "no language"; expected: a language such as fr or pt-BR/,
    ],
    [
      ['a.mp4', ...WHERE, '--audio-only', '--lang', 'fr', '--no-audio'],
      /^--audio-only and --no-audio cannot be combined/,
    ],
    [['a.mp4', ...WHERE, '--port', '0'], /^--port is an option of the relay only/],
    [['relay', ...WHERE, '--loop'], /^--loop is not an option of the relay/],
    [
      ['relay', ...WHERE, '--port', '65536'],
      /^--port is "65536"; expected: a whole number from 0 to 65535/,
    ],
  ];
  for (const [args, message] of wrong) {
    assert.throws(
      () => parseCommand(args, {}),
      (error) => {
        assert.ok(error instanceof UsageError, `${args}: ${error}`);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

test('encoder command line: options become a command, whose key is from the option, the URL or the environment', () => {
  const env = { RIVULET_KEY: 'env', XDG_STATE_HOME: '/state', HOME: '/home/me' };
  const given = [
    '--bitrate',
    '2.5M',
    '--size=640x360',
    '--duration',
    '1.5',
    '--parallel',
    '2',
    '--loop',
  ];
  const spool = ['--spool', 'here', '--retry-for', '60', '--quiet', '--once'];
  const command = parseCommand(
    ['-', '--to', 'https://x:p%40ss@host:8443/base/', '--stream', 'v', ...given, ...spool],
    env,
  );
  assert.deepEqual(command, {
    type: 'encode',
    input: '-',
    to: 'https://host:8443/base',
    key: 'p@ss',
    videoId: 'v',
    spoolFolder: 'here',
    spoolLimitBytes: 10_000_000_000,
    retryForMs: 60_000,
    bitrateBps: 2_500_000,
    size: { widthPx: 640, heightPx: 360 },
    durationSeconds: 1.5,
    parallel: 2,
    pace: 'live',
    loop: true,
    once: true,
    quiet: true,
  });
  const keyOf = (...args: string[]) => {
    const parsed = parseCommand(['relay', ...args], env);
    return parsed.type === 'relay' ? [parsed.key, parsed.to] : [];
  };
  assert.deepEqual(keyOf('--to', 'http://x:url@h', '--key', 'option'), ['option', 'http://h']);
  assert.deepEqual(keyOf('--to', 'http://h'), ['env', 'http://h']);
});

test('encoder command line: wrong use exits with 1 and a hint, --help with 0 and examples', async (t) => {
  const help = startEncoder(t, ['--help']);
  assert.equal((await help.exit).code, 0);
  assert.match(help.output(), /Usage[\s\S]*Examples[\s\S]*Exit codes/);
  const missing = startEncoder(t, ['/no/such/file.mp4', ...WHERE]);
  assert.equal((await missing.exit).code, 1);
  assert.match(
    missing.output(),
    /INPUT "\/no\/such\/file\.mp4": there is no such file; expected: a file/,
  );
  assert.match(missing.output(), /Try --help/);
});
