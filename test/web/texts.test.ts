import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ENGLISH } from '../../web/texts/english.ts';
import { GERMAN } from '../../web/texts/german.ts';
import { chooseLanguage, setLanguage, text } from '../../web/texts/text.ts';
import { readRepository } from '../repo/repository-files.ts';

const placeholdersOf = (words: string): string[] =>
  [...words.matchAll(/\{(\w+)\}/g)].map(([one]) => one).sort();

describe('the texts of the pages', () => {
  after(() => setLanguage(['en']));

  test('texts: every language has the values of the English text', () => {
    for (const [key, words] of Object.entries(ENGLISH)) {
      const german = GERMAN[key as keyof typeof GERMAN];
      assert.deepEqual(placeholdersOf(german), placeholdersOf(words), key);
      assert.notEqual(german.trim(), '', key);
    }
    assert.deepEqual(Object.keys(GERMAN), Object.keys(ENGLISH), 'in the same order');
  });

  test('texts: the first language of the viewer that there is, else English', () => {
    assert.equal(chooseLanguage(['fr', 'de-AT', 'en']), 'de');
    assert.equal(chooseLanguage(['EN-us', 'de']), 'en');
    assert.equal(chooseLanguage(['constructor', 'fr']), 'en');
    assert.equal(chooseLanguage([]), 'en');
  });

  test('texts: values take the place of their names', () => {
    setLanguage(['de']);
    assert.equal(text('age.started', { span: '$&' }), 'Vor $& begonnen');
    setLanguage(['en']);
    assert.equal(text('age.started', { span: '2 h' }), 'Started 2 h ago');
  });

  test('texts: each is used, and the pages name none that is not there', () => {
    const used = readRepository(/^web\/(?!texts\/).*\.(ts|html)$/)
      .map(({ text: content }) => content)
      .join('\n');
    for (const key of Object.keys(ENGLISH)) assert.ok(used.includes(key), `${key} is not used`);
    for (const [, key = ''] of used.matchAll(/data-text(?:-[a-z-]+)?="([^"]+)"/g)) {
      assert.ok(key in ENGLISH, `${key} is not there`);
    }
  });
});
