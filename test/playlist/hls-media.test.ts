import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ENDLIST,
  formatHeader,
  formatSegment,
  type MediaSegment,
} from '../../lib/playlist/hls-media.ts';
import { formatMediaPlaylist, type MediaPlaylist } from './format-media-playlist.ts';
import { mediaPlaylist } from './media-playlist-arbitrary.ts';
import { parseMediaWithHls } from './parse-with-hls.ts';
import { parseWithM3u8Parser } from './parse-with-m3u8-parser.ts';

const T0 = Date.UTC(2026, 10, 21, 10, 0, 0);

const segment = (number: number, changes: Partial<MediaSegment> = {}): MediaSegment => ({
  uri: `/media/demo/1a/720p/1-000000000${number}.m4s`,
  mapUri: '/media/demo/1a/720p/init-aa.mp4',
  durationTicks: 360_000,
  programDateTimeMs: T0 + number * 4000,
  discontinuity: false,
  gap: false,
  ...changes,
});

/** What both readers must see of a playlist, whatever it holds. */
function assertReadBack(playlist: MediaPlaylist): string {
  const text = formatMediaPlaylist(playlist);
  const byHls = parseMediaWithHls(text);
  const byM3u8Parser = parseWithM3u8Parser(text);

  let discontinuitySequence = playlist.discontinuitySequence;
  const expected = playlist.segments.map((entry, index) => {
    if (entry.discontinuity) discontinuitySequence += 1;
    return {
      uri: entry.uri,
      sequence: playlist.mediaSequence + index,
      discontinuitySequence,
      ticks: entry.durationTicks,
      programDateTimeMs: Math.round(entry.programDateTimeMs),
      gap: entry.gap,
      mapUri: entry.mapUri,
    };
  });
  assert.deepEqual(
    byHls.segments.map(({ durationSeconds, ...rest }) => ({
      ...rest,
      ticks: Math.round(durationSeconds * 90_000),
    })),
    expected,
  );
  assert.equal(byHls.targetDurationSeconds, playlist.targetDurationSeconds);
  assert.equal(byHls.mediaSequence, playlist.mediaSequence);
  assert.equal(byHls.playlistType, playlist.playlistType ?? null);
  assert.equal(byHls.ended, playlist.ended);

  assert.deepEqual(
    byM3u8Parser.segments.map((entry) => ({
      uri: entry.uri,
      discontinuitySequence: entry.timeline,
      ticks: Math.round(entry.duration * 90_000),
      programDateTimeMs: Date.parse(entry.dateTimeString ?? ''),
      mapUri: entry.map?.uri,
    })),
    expected.map(({ sequence: _sequence, gap: _gap, ...entry }) => entry),
  );
  assert.equal(byM3u8Parser.independentSegments, true);
  assert.equal(byM3u8Parser.targetDuration, playlist.targetDurationSeconds);
  assert.equal(byM3u8Parser.mediaSequence, playlist.mediaSequence);
  assert.equal(byM3u8Parser.discontinuitySequence, playlist.discontinuitySequence);
  assert.equal(byM3u8Parser.playlistType, playlist.playlistType);
  assert.equal(byM3u8Parser.endList ?? false, playlist.ended);
  return text;
}

test('media playlist: a live window names its init segment once, and every wall clock', () => {
  const text = assertReadBack({
    targetDurationSeconds: 6,
    mediaSequence: 7,
    discontinuitySequence: 0,
    ended: false,
    segments: [
      segment(7),
      segment(8, { durationTicks: 360_360, programDateTimeMs: T0 + 32_003.6 }),
    ],
  });
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="/media/demo/1a/720p/init-aa.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:28.000Z
#EXTINF:4,
/media/demo/1a/720p/1-0000000007.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:32.004Z
#EXTINF:4.004,
/media/demo/1a/720p/1-0000000008.m4s
`,
  );
});

test('media playlist: an ended stream with a gap and a new encoder run repeats the init segment after the break', () => {
  const text = assertReadBack({
    targetDurationSeconds: 4,
    mediaSequence: 0,
    discontinuitySequence: 3,
    playlistType: 'VOD',
    ended: true,
    segments: [
      segment(0),
      segment(1, { gap: true, uri: '/media/gap' }),
      segment(2, { discontinuity: true }),
      segment(3, { mapUri: '/media/demo/1a/720p/init-bb.mp4', durationTicks: 1 }),
      segment(4, { mapUri: '/media/demo/1a/720p/init-bb.mp4', discontinuity: true, gap: true }),
    ],
  });
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="/media/demo/1a/720p/init-aa.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:00.000Z
#EXTINF:4,
/media/demo/1a/720p/1-0000000000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:04.000Z
#EXT-X-GAP
#EXTINF:4,
/media/gap
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/media/demo/1a/720p/init-aa.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:08.000Z
#EXTINF:4,
/media/demo/1a/720p/1-0000000002.m4s
#EXT-X-MAP:URI="/media/demo/1a/720p/init-bb.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:12.000Z
#EXTINF:0.000011,
/media/demo/1a/720p/1-0000000003.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/media/demo/1a/720p/init-bb.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:16.000Z
#EXT-X-GAP
#EXTINF:4,
/media/demo/1a/720p/1-0000000004.m4s
#EXT-X-ENDLIST
`,
  );
});

test('media playlist: hls.js and m3u8-parser read back every field of any one', () => {
  fc.assert(
    fc.property(mediaPlaylist, (playlist) => {
      assertReadBack(playlist);
    }),
  );
});

test('media playlist: text that grew segment by segment is the text made at once', () => {
  fc.assert(
    fc.property(mediaPlaylist, (playlist) => {
      const body = playlist.segments.map((entry, index) =>
        formatSegment(entry, playlist.segments[index - 1]?.mapUri),
      );
      const header = formatHeader(playlist);
      const grown = header + body.join('') + (playlist.ended ? ENDLIST : '');
      assert.equal(grown, formatMediaPlaylist(playlist));
    }),
  );
});

test('media playlist: durations are short decimals that add up', () => {
  const extinf = (durationTicks: number): string | undefined =>
    formatSegment(segment(0, { durationTicks }), undefined).match(/#EXTINF:(.*),/)?.[1];
  assert.equal(extinf(90_000), '1');
  assert.equal(extinf(180_180), '2.002');
  assert.equal(extinf(543_543), '6.039367');
  assert.equal(extinf(9_000), '0.1');
  assert.equal(extinf(89_999), '0.999989');
  assert.equal(extinf(324_000_000), '3600');
});

test('media playlist: a target duration is whole seconds, and text that would break a line is refused', () => {
  const header = { targetDurationSeconds: 4.004, mediaSequence: 0, discontinuitySequence: 0 };
  assert.match(formatHeader(header), /^#EXT-X-TARGETDURATION:5$/m);
  for (const uri of [
    '',
    '#a.m4s',
    'a b.m4s',
    'a\n#EXT-X-ENDLIST',
    'a\u2028.m4s',
    '{$a}',
    'a".m4s',
  ]) {
    assert.throws(() => formatSegment(segment(0, { uri }), undefined), /is no URI for a playlist/);
    assert.throws(() => formatSegment(segment(0, { mapUri: uri }), undefined), /is no URI/);
  }
});
