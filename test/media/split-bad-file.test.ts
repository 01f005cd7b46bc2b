import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { h264, picture, sound } from '../support/media-inputs.ts';
import { cutFile } from '../support/whole-file.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rivulet-file-'));
  await ffmpeg([...picture(6), ...sound(6), ...h264(), '-c:a', 'aac', at('film.mp4')]);
  const copy = ['-i', at('film.mp4'), '-c', 'copy'];
  await ffmpeg([
    ...[...copy, '-movflags', '+faststart', at('front.mp4')],
    ...[...copy.slice(2), at('film.mkv'), ...copy.slice(2), at('film.ts')],
  ]);
});
after(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** Headers of EBML and of one track, whose content is encrypted with AES. */
function encryptedMatroska(): Buffer {
  const element = (id: string, ...body: (Buffer | readonly number[])[]): Buffer => {
    const content = Buffer.concat(body.map((part) => Buffer.from(part)));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(0x1000_0000 + content.length);
    return Buffer.concat([Buffer.from(id, 'hex'), size, content]);
  };
  const encryption = element('5035', element('47e1', [5]));
  const encodings = element('6d80', element('6240', element('5033', [1]), encryption));
  const codec = element('86', Buffer.from('V_MPEG4/ISO/AVC'));
  const size = element('e0', element('b0', [1, 64]), element('ba', [180]));
  const track = element(
    'ae',
    element('d7', [1]),
    element('73c5', [1]),
    element('83', [1]),
    codec,
    size,
    encodings,
  );
  const info = element('1549a966', element('2ad7b1', [0x0f, 0x42, 0x40]));
  return Buffer.concat([
    element('1a45dfa3', element('4282', Buffer.from('matroska'))),
    element('18538067', info, element('1654ae6b', track)),
  ]);
}

describe('a bad file', () => {
  test('with a hundred tracks of sound gives the first sixteen', async () => {
    const maps = Array.from({ length: 100 }, () => ['-map', '1']).flat();
    await ffmpeg([
      ...[...picture(1, '25'), ...sound(1), '-map', '0', ...maps, ...h264(), '-c:a', 'aac'],
      at('tracks.mp4'),
    ]);
    const cut = await cutFile(at('tracks.mp4'));
    assert.equal(cut.opened.audioTracks, 100);
    assert.equal(cut.segments[0]?.inspection?.facts.audio.length, 16);
  });

  test('that breaks off gives what came of it, and says so', async () => {
    for (const [name, keeps] of [
      ['front.mp4', 60],
      ['film.mkv', 60],
      ['film.ts', 60],
    ] as const) {
      const cutOff = at(`cut-${name}`);
      await copyFile(at(name), cutOff);
      const { length } = await readFile(cutOff);
      await truncate(cutOff, Math.round(length * 0.6));
      const cut = await cutFile(cutOff);
      const media = await Promise.all(cut.segments.map(({ bytes }) => demuxSegment(bytes)));
      const frames = media.flatMap(({ video }) => video?.frames ?? []);
      assert.ok(frames.length >= keeps && frames.length < 180, `${name}: ${frames.length}`);
    }
  });

  test('is refused with the reason: no index, garbage, a text, a playlist, nothing, encrypted', async () => {
    await copyFile(at('film.mp4'), at('headless.mp4'));
    const { length } = await readFile(at('headless.mp4'));
    await truncate(at('headless.mp4'), Math.round(length * 0.6));
    const key = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', '0'.repeat(32)];
    const kid = ['-encryption_kid', '1'.repeat(32)];
    await ffmpeg(['-i', at('film.mp4'), '-c', 'copy', ...key, ...kid, at('locked.mp4')]);
    await writeFile(at('locked.mkv'), encryptedMatroska());
    const files: readonly (readonly [
      name: string,
      bytes: string | undefined,
      code: string,
      message: RegExp,
    ])[] = [
      ['headless.mp4', undefined, 'truncated_segment', /no readable index \(moov\)/],
      ['locked.mp4', undefined, 'unsupported_media', /^The file is encrypted\.$/],
      ['locked.mkv', undefined, 'unsupported_media', /^The file is encrypted\.$/],
      ['garbage.mp4', '\x00\xfe\x13\x99'.repeat(999), 'unsupported_media', /of an unknown format/],
      ['text.mkv', 'Dear editor,\n'.repeat(99), 'unsupported_media', /^The file is text\.$/],
      ['list.mp4', `#EXTM3U\n#EXTINF:2,\n${at('film.ts')}\n`, 'unsupported_media', /a playlist/],
      ['script.avi', `ffconcat version 1.0\nfile ${at('film.ts')}\n`, 'unsupported_media', /text/],
      ['nothing.mp4', '', 'empty_body', /no bytes/],
    ];
    for (const [name, bytes, code, message] of files) {
      if (bytes !== undefined) await writeFile(at(name), bytes, 'latin1');
      await assert.rejects(cutFile(at(name)), { code, message }, name);
    }
  });
});
