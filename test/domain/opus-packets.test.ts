import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { planOpus } from '../../lib/domain/opus-packets.ts';

const RATES = [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 11_025, 96_000];

describe('the Opus packets of a segment', () => {
  test('are shared out among neighbours, wherever their cuts lie', () => {
    const span = fc.integer({ min: 2000, max: 900_000 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), span, span, (start, first, second) => {
        const cut = start + first;
        const a = planOpus({ startTicks: start, endTicks: cut }, 0, 48_000);
        const b = planOpus({ startTicks: cut, endTicks: cut + second }, 0, 48_000);
        assert.equal(a.startTicks + a.packets * 1800, b.startTicks);
        assert.ok(Math.abs(b.startTicks - cut) <= 900, 'half a packet');
      }),
    );
  });

  test('decode to the samples of their own time, after 16 packets that lead the encoder in', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES),
        fc.integer({ min: 900_000, max: 90_000_000 }),
        fc.integer({ min: 0, max: 5 }),
        (rate, startTicks, leadSeconds) => {
          const sourceSample = Math.round((startTicks / 90_000 - leadSeconds / 4) * rate);
          const plan = planOpus({ startTicks, endTicks: startTicks + 180_000 }, sourceSample, rate);
          const origin = ((sourceSample + plan.dropSourceSamples) * 48_000) / rate;
          assert.ok(Number.isInteger(origin), 'no sample lies between two of the source');
          // The first input of the encoder, and where libopus puts it.
          const fed = origin + plan.dropSamples;
          const firstPacket = (plan.startTicks * 8) / 15;
          assert.equal(fed - 312 + plan.firstPacket * 960, firstPacket);
          assert.equal(plan.feedSamples, (plan.firstPacket + plan.packets) * 960);
          if (leadSeconds >= 2) assert.equal(plan.firstPacket, 16);
          if (plan.firstPacket > 0) assert.ok(plan.dropSamples >= 0, 'no silence in front');
        },
      ),
    );
  });
});
