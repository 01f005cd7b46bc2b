import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestSystem } from '../support/system.ts';
import { startEncoder, temporaryFolder } from './encoder-process.ts';

const CUE = '00:00:01.000 --> 00:00:02.000\nGrüße';

test('the encoder sends a file of captions with --captions, and says which line of a bad one is wrong', async (t) => {
  const folder = await temporaryFolder(t);
  const system = await startTestSystem(t);
  const created = await system.fetch('/streams/show', { method: 'PUT', body: '{}' });
  assert.equal(created.status, 201);
  const where = ['--to', system.url, '--stream', 'show', '--key', system.ownerKey];
  const send = async (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    await writeFile(path, content);
    const options = ['--captions', '--lang', 'de', '--forced', ...where];
    const encoder = startEncoder(t, [path, ...options]);
    const { code } = await encoder.exit;
    return { code, output: encoder.output().replaceAll(`${folder}/`, '') };
  };
  assert.deepEqual(await send('show.vtt', `WEBVTT\n\n${CUE}\n`), {
    code: 0,
    output: 'show: captions-de-forced has all of show.vtt, cues: 1.\n',
  });
  const shown = await system.fetch('/viewstream/captions/show/captions-de-forced.vtt');
  assert.equal(shown.status, 200, await shown.text());

  const { code, output } = await send('bad.srt', Buffer.from(`1\n${CUE}\n`, 'latin1'));
  assert.equal(code, 2);
  assert.match(output, /^bad\.srt: line 3: it is not UTF-8\. Save the file as UTF-8/);
});
