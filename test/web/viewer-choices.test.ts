import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  keepChoices,
  readChoices,
  trackToChoose,
  withPicked,
} from '../../web/watch/viewer-choices.ts';

const storage = (text: string | null) => ({ getItem: () => text });

test('viewer choices: what is kept is read again, and what makes no sense is left out', () => {
  let kept: string | null = null;
  keepChoices(
    { quality: '360p', audio: 'Deutsch', speed: 1.5 },
    {
      setItem: (_, text) => {
        kept = text;
      },
    },
  );
  assert.deepEqual(readChoices(storage(kept)), { quality: '360p', audio: 'Deutsch', speed: 1.5 });
  assert.deepEqual(readChoices(storage(null)), {});
  assert.deepEqual(readChoices(storage('not JSON')), {});
  assert.deepEqual(readChoices(storage('{"quality":7,"speed":99,"audio":null}')), {});
  const full = {
    setItem: () => {
      throw new Error('full');
    },
  };
  assert.doesNotThrow(() => keepChoices({}, full));
});

test('viewer choices: a track is chosen by its name, unless it is already or there is none', () => {
  const levels = [
    { id: 0, name: '720p' },
    { id: 1, name: '360p' },
  ];
  assert.equal(trackToChoose(levels, '360p', -1), 1);
  assert.equal(trackToChoose(levels, '360p', 1), undefined);
  assert.equal(trackToChoose(levels, '1080p', -1), undefined);
  assert.equal(trackToChoose(levels, undefined, -1), undefined);
  assert.deepEqual(withPicked({ audio: 'a' }, { levels }, 1), { audio: 'a', quality: '360p' });
  assert.deepEqual(withPicked({ quality: '360p' }, { levels }, -1), {}, 'auto again');
});
