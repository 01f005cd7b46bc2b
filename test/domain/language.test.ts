import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matchLanguage, normalLanguage, ownName } from '../../lib/domain/languages/language.ts';
import { parseCountry, regionDefault } from '../../lib/domain/languages/region-default.ts';

describe('a language', () => {
  for (const [said, tag, name] of [
    ['fre', 'fr', 'Français'],
    ['fra', 'fr', 'Français'],
    ['ger', 'de', 'Deutsch'],
    ['pt-br', 'pt-BR', 'Português (Brasil)'],
    ['zh-hant', 'zh-Hant', '繁體中文'],
    ['iw', 'he', 'עברית'],
    ['qaa', 'qaa', 'qaa'],
  ] as const) {
    test(`that is said as ${said} is ${tag} and called ${name}`, () => {
      assert.equal(normalLanguage(said), tag);
      assert.equal(ownName(tag), name);
    });
  }

  for (const said of [undefined, '', 'no language', 'en-', '\0\0\0']) {
    test(`that is said as ${JSON.stringify(said)} is undetermined`, () => {
      assert.equal(normalLanguage(said), 'und');
    });
  }

  for (const [wanted, offered, found] of [
    ['fr', ['en', 'fr'], 'fr'],
    ['fr-CH', ['en', 'fr'], 'fr'],
    ['fr-CH', ['en', 'fr-CA', 'fr'], 'fr'],
    ['fr', ['en', 'fr-CA'], 'fr-CA'],
    ['fr-CH', ['en', 'fr-CA'], 'fr-CA'],
    ['zh-Hant-TW', ['zh', 'zh-Hant'], 'zh-Hant'],
    ['zh-TW-x-own', ['zh-TW'], 'zh-TW'],
    ['FRE', ['en', 'fra'], 'fra'],
    ['f', ['fr'], undefined],
    ['fr', ['frr'], undefined],
    ['fr', [], undefined],
  ] as const) {
    test(`${wanted} among ${offered.join(', ') || 'none'} is ${found ?? 'none'}`, () => {
      assert.equal(offered[matchLanguage(offered, wanted)], found);
    });
  }
});

describe('the default of a region', () => {
  const defaults = { '*': 'en', FR: 'fr', CA: 'fr-CA' };

  for (const [country, language] of [
    ['FR', 'fr'],
    ['CA', 'fr-CA'],
    ['DE', 'en'],
    [undefined, 'en'],
  ] as const) {
    test(`of ${country ?? 'an unknown country'} is ${language}`, () => {
      assert.equal(regionDefault(defaults, country), language);
    });
  }

  test('is none where the owner has set none', () => {
    assert.equal(regionDefault(undefined, 'FR'), undefined);
    assert.equal(regionDefault({ FR: 'fr' }, 'DE'), undefined);
  });

  for (const [said, country] of [
    ['FR', 'FR'],
    [' fr ', 'FR'],
    ['XX', undefined],
    ['T1', undefined],
    ['France', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    test(`said as ${JSON.stringify(said)} is that of ${country ?? 'no country'}`, () => {
      assert.equal(parseCountry(said), country);
    });
  }
});
