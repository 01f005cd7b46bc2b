import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  DOWNLOAD_FORMATS,
  formatsCarrying,
  listCodecs,
  MEDIA_FORMATS,
  mediaTypeOf,
} from '../../lib/domain/media-format.ts';

describe('media formats:', () => {
  test('a file name has the content type of its extension', () => {
    const types = Object.fromEntries(
      ['a/live.M3U8', '7.ts', '7.m4s', 'init.mp4', 'page.html', 'name'].map((name) => [
        name,
        mediaTypeOf(name),
      ]),
    );
    assert.deepEqual(types, {
      'a/live.M3U8': 'application/vnd.apple.mpegurl',
      '7.ts': 'video/mp2t',
      '7.m4s': 'video/iso.segment',
      'init.mp4': 'video/mp4',
      'page.html': undefined,
      name: undefined,
    });
  });

  test('segments are downloads in MP4, WebM, QuickTime and MPEG-TS', () => {
    assert.deepEqual(DOWNLOAD_FORMATS, ['mp4', 'webm', 'mov', 'ts']);
  });

  test('a source is a download in the formats that carry all of its codecs', () => {
    assert.deepEqual(formatsCarrying(['avc', 'aac']), ['mp4', 'mov', 'ts']);
    assert.deepEqual(formatsCarrying(['vp9', 'opus']), ['mp4', 'webm']);
    assert.deepEqual(formatsCarrying(['av1', 'aac']), ['mp4']);
    assert.deepEqual(formatsCarrying(['hevc', 'opus']), ['mp4']);
  });

  test('codecs are listed by the names that people know', () => {
    assert.equal(listCodecs(MEDIA_FORMATS.ts.video), 'H.264 or H.265');
    assert.equal(listCodecs(MEDIA_FORMATS.mp4.audio), 'AAC, MP3, AC-3, E-AC-3 or Opus');
    assert.equal(listCodecs(['avc', 'aac', 'aac'], 'and'), 'H.264 and AAC');
  });
});
