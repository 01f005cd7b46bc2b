import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientAddress } from '../../lib/embedded/client-address.ts';
import { KeyAttempts, TooManyAttempts } from '../../lib/embedded/key-attempts.ts';

const PLACE = '203.0.113.7';

function attemptsAt(nowMs = 0) {
  const clock = { nowMs, waits: [] as (() => void)[] };
  const pause = () => new Promise<void>((resolve) => clock.waits.push(resolve));
  return { clock, attempts: new KeyAttempts({ nowMs: () => clock.nowMs, pause }) };
}

/** The seconds to wait of each try; 0: it is no more than wrong. */
const tries = (attempts: KeyAttempts, keys: readonly string[], address = PLACE): number[] =>
  keys.map((key) => {
    try {
      attempts.wrong(address, key);
      return 0;
    } catch (error) {
      assert.ok(error instanceof TooManyAttempts);
      return error.retryAfterSeconds;
    }
  });

const guesses = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `guess-${from + index}`);

describe('attempts with wrong keys', () => {
  test('are refused from the eleventh guess on, for longer each time, up to a minute', () => {
    const { clock, attempts } = attemptsAt();
    assert.deepEqual(tries(attempts, guesses(10)), Array(10).fill(0));
    assert.deepEqual(tries(attempts, guesses(8, 10)), [10, 20, 30, 40, 50, 60, 60, 60]);
    clock.nowMs += 70_000;
    assert.deepEqual(tries(attempts, guesses(2, 20)), [0, 10], 'one guess is free in ten seconds');
    assert.deepEqual(
      tries(attempts, guesses(1, 30), '203.0.113.8'),
      [0],
      'others are not concerned',
    );
  });

  test('are counted little when an encoder repeats the same one', () => {
    const { attempts } = attemptsAt();
    const repeated = tries(attempts, Array(300).fill('mistaken'));
    assert.equal(repeated.filter((seconds) => seconds === 0).length, 181);
  });

  test('delay the next keys of that address, and only those that were not right before', async () => {
    const { clock, attempts } = attemptsAt();
    attempts.right(PLACE, 'right');
    tries(attempts, guesses(11));
    await attempts.begin(PLACE, 'right');
    await attempts.begin('203.0.113.8', 'new');
    assert.equal(clock.waits.length, 0);
    const waiting = guesses(8).map((key) => attempts.begin(PLACE, key));
    assert.equal(clock.waits.length, 8);
    await assert.rejects(attempts.begin(PLACE, 'one more'), TooManyAttempts);
    await attempts.begin(PLACE, 'right');
    for (const wake of clock.waits) wake();
    await Promise.all(waiting);
    const late = attempts.begin(PLACE, 'a right one that is new');
    assert.equal(clock.waits.length, 9, 'it is looked at, a second later');
    clock.waits.at(-1)?.();
    await late;
  });

  test('are forgotten of the address that was heard of longest ago, when there are too many', async () => {
    const { clock, attempts } = attemptsAt();
    tries(attempts, guesses(11));
    for (let index = 0; index < 4096; index += 1) tries(attempts, ['x'], `192.0.2.${index}`);
    await attempts.begin(PLACE, 'new');
    assert.equal(clock.waits.length, 0);
  });
});

test('a client is its network: the home of an IPv6 address, or what a proxy on this machine says', () => {
  const of = (remoteAddress: string, forwarded?: string) =>
    clientAddress({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    } as unknown as Parameters<typeof clientAddress>[0]);
  assert.equal(of('203.0.113.7'), '203.0.113.7');
  assert.equal(of('203.0.113.7', '198.51.100.1'), '203.0.113.7');
  assert.equal(of('127.0.0.1', '6.6.6.6, 198.51.100.1'), '198.51.100.1');
  assert.equal(of('::ffff:127.0.0.1', 'nonsense'), '127.0.0.1');
  assert.equal(of('::ffff:203.0.113.7'), '203.0.113.7');
  assert.equal(of('2001:DB8:0:12::5'), '2001:db8:0:12::/64');
  assert.equal(of('2001:db8::1'), '2001:db8:0:0::/64');
  assert.equal(of('::1', '2001:db8:0:12:1:2:3:4'), '2001:db8:0:12::/64');
  assert.equal(of('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(of('::1'), '0:0:0:0::/64');
});
