import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findChromium } from '../support/chromium.ts';

const find = (platform: NodeJS.Platform, env: Record<string, string>, present: string): unknown =>
  findChromium({ platform, env, isExecutable: (path) => path === present });

test('findChromium: a browser is found in the usual folders of each system, or where CHROMIUM points', () => {
  assert.equal(find('linux', { CHROMIUM: '/my/chrome' }, '/usr/bin/chromium'), '/my/chrome');
  assert.equal(
    find('linux', { PATH: '/opt/bin' }, '/opt/bin/google-chrome'),
    '/opt/bin/google-chrome',
  );
  assert.equal(find('linux', {}, '/usr/bin/chromium'), '/usr/bin/chromium');
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  assert.equal(find('darwin', {}, mac), mac);
  const windows = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
  assert.equal(find('win32', { PROGRAMFILES: 'C:\\Program Files' }, windows), windows);
  assert.equal(find('linux', { PATH: '/opt/bin' }, '/nowhere'), undefined);
});
