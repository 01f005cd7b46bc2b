import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitNotices } from '../../lib/domain/notice.ts';

describe('the notices of a receipt', () => {
  test('are one of each message, sixteen at most', () => {
    const notices = Array.from({ length: 40 }, (_, index) => ({
      code: 'damaged' as const,
      message: `Fault ${index % 20}.`,
    }));
    const limited = limitNotices(notices);
    assert.deepEqual(
      limited.map(({ message }) => message),
      Array.from({ length: 16 }, (_, index) => `Fault ${index}.`),
    );
  });

  test('are cut where foreign bytes made them long', () => {
    const [short, long] = limitNotices([
      { code: 'damaged', message: 'x'.repeat(500) },
      { code: 'program_ignored', message: 'y'.repeat(1_000_000) },
    ]);
    assert.equal(short?.message, 'x'.repeat(500));
    assert.equal(long?.message, `${'y'.repeat(500)} …`);
  });
});
