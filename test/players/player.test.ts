import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from './offers.ts';
import { cellOf, type Limit, type Played, type Player } from './player.ts';

const OFFER: Offer = { name: 'clip', kind: 'file', url: '', lang: 'en', seconds: 2 };
const MOMENTS = { flashes: [0.5, 1.5], beeps: [0.5, 1.5], language: 'en' } as const;
const WHOLE = { ...MOMENTS, frames: 50, soundSeconds: 2.02 } as const;

const judged = async (
  decoded: NonNullable<Played['decoded']>,
  given: Readonly<{ limit?: Limit; offer?: Partial<Offer>; problems?: string[] }> = {},
): Promise<string> => {
  const player: Player = {
    name: 'a player',
    version: async () => '1',
    limitOf: () => given.limit,
    play: async () => ({ decoded, problems: given.problems ?? [] }),
  };
  const { text, isWrong } = await cellOf(player, { ...OFFER, ...given.offer }, '', 0);
  assert.equal(isWrong, text.startsWith('✗'));
  return text;
};

test('a player has a tick when it has every frame, all sound, the language, and both within 10 ms', async () => {
  assert.equal(await judged(WHOLE), '✓ 0.0 ms');
  assert.equal(await judged({ ...WHOLE, beeps: [0.491, 1.5] }), '✓ +9.0 ms');
  assert.equal(await judged({ ...WHOLE, beeps: [0.511, 1.5] }), '✗ sound is off by -11.0 ms');
  assert.equal(await judged({ ...WHOLE, frames: 49 }), '✗ 49 frames of 50');
  assert.equal(await judged({ ...WHOLE, frames: 51 }), '✗ 51 frames of 50');
  assert.equal(await judged({ ...WHOLE, soundSeconds: 1.9 }), '✗ 1.900 s of sound in 2 s');
  assert.equal(await judged({ ...WHOLE, language: 'de' }), '✗ the language is de');
  assert.equal(await judged({ ...WHOLE, beeps: [0.5] }), '✗ 1 flashes with a beep in 2 s');
  assert.equal(await judged(WHOLE, { problems: ['it | stalled'] }), '✗ it / stalled');
});

test('of a live stream a player needs what it had time for, and of a known limit what is left', async () => {
  const live = { offer: { seconds: undefined } } as unknown as { offer: Partial<Offer> };
  const watched = {
    ...WHOLE,
    frames: 100,
    soundSeconds: 4,
    flashes: [0, 1, 2, 3],
    beeps: [0, 1, 2, 3],
  };
  assert.equal(await judged(watched, live), '✓ 0.0 ms');
  assert.equal(await judged(WHOLE, live), '✗ 50 frames of 75');
  const limit = { note: 'without a second', lostSeconds: 1 };
  assert.equal(await judged(WHOLE, { limit }), '✗ 50 frames of 25');
  const less = { ...WHOLE, frames: 25, soundSeconds: 1 };
  assert.equal(await judged(less, { limit }), '✓ 0.0 ms; without a second');
  assert.equal(
    await judged({ ...WHOLE, beeps: [] }, { limit: { note: 'no times', notMeasured: true } }),
    '✓ plays; no times',
  );
  assert.equal(await judged(WHOLE, { limit: { note: 'no DASH', cannot: true } }), '– no DASH');
});
