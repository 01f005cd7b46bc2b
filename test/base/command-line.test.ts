import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flag, parseCommandLine, UsageError } from '../../lib/base/command-line.ts';
import { bitRate, text, wholeNumber, withDefault } from '../../lib/base/settings.ts';

const RULES = {
  stage: withDefault(text('a name', /^[a-z]+$/), 'dev'),
  port: wholeNumber(0, 65_535),
  rate: bitRate(1_000, 1e6),
  key: { ...text('a key', /^.{8,}$/), secret: true },
  quiet: flag,
};

describe('command line', () => {
  test('options are read by their rules, in any order and spelling', () => {
    const argv = ['a', '--port', '80', '--quiet', '--rate=2.5k', '--port=81', '--', '--b'];
    const { options, given, positionals, help } = parseCommandLine(RULES, argv, 2);
    assert.deepEqual(options, {
      stage: 'dev',
      port: 81,
      rate: 2500,
      key: undefined,
      quiet: true,
    });
    assert.deepEqual(
      [[...given], positionals, help],
      [['port', 'quiet', 'rate'], ['a', '--b'], false],
    );
  });

  const refusals: readonly (readonly [argv: string[], message: string])[] = [
    [['--prot', '80'], 'Unknown option --prot; did you mean --port?'],
    [
      ['-q'],
      'Unknown option -q; expected: one of --stage, --port, --rate, --key, --quiet, --help.',
    ],
    [['--port'], '--port has no value; expected: a whole number from 0 to 65535.'],
    [['--port', '--quiet'], '--port has no value; expected: a whole number from 0 to 65535.'],
    [['--port='], '--port has no value; expected: a whole number from 0 to 65535.'],
    [['--port', '1e3'], '--port is "1e3"; expected: a whole number from 0 to 65535.'],
    [['--quiet=no'], '--quiet takes no value, but "no" was given.'],
    [['--key', 'secret'], '--key is a text of 6 characters; expected: a key.'],
    [['--quiet', 'fast'], 'Unexpected argument "fast".'],
    [['--constructor'], 'Unknown option --constructor; '],
  ];
  for (const [argv, message] of refusals) {
    test(`${argv.join(' ')} is refused with the option and what was expected`, () => {
      assert.throws(
        () => parseCommandLine(RULES, argv),
        (error) => error instanceof UsageError && error.message.startsWith(message),
      );
    });
  }

  test('all problems are reported at once', () => {
    assert.throws(() => parseCommandLine(RULES, ['--port', 'x', '--stage=1', '--quite']), {
      name: 'UsageError',
      message:
        /^Unknown option --quite; did you mean --quiet\?\n--stage is "1".*\n--port is "x".*$/,
    });
  });

  test('--help comes before all problems', () => {
    assert.equal(parseCommandLine(RULES, ['--nope', '-h', 'x']).help, true);
  });
});
