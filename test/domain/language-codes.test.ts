import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { languageCode } from '../../lib/domain/languages/language-codes.ts';
import { languageTag } from '../../lib/media/demux/demuxed-segment.ts';

describe('the language of a track in a container', () => {
  test('is the one that readers make the same tag of again', () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    for (const first of letters) {
      for (const second of letters) {
        const code = languageCode(`${first}${second}`);
        // Twi is a part of Akan, and read as that.
        const two = `${first}${second}` === 'tw' ? 'ak' : `${first}${second}`;
        const [tag] = Intl.getCanonicalLocales(two);
        if (code !== 'und') assert.equal(languageTag(code), tag);
      }
    }
  });

  test('is told by the tag alone, whatever follows it', () => {
    const tags = ['de', 'de-AT', 'pt-BR', 'EN', 'gsw', 'zh-Hant-TW', 'und', 'x-private', 'zz'];
    const codes = ['deu', 'deu', 'por', 'eng', 'gsw', 'zho', 'und', 'und', 'und'];
    assert.deepEqual(tags.map(languageCode), codes);
    assert.equal(languageCode(), 'und');
  });
});
