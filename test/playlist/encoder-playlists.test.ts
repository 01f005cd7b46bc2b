import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  listedFiles,
  type PushedMediaPlaylist,
  parsePushedPlaylist,
} from '../../lib/playlist/pushed-playlist.ts';

function parseMedia(text: string): PushedMediaPlaylist {
  const playlist = parsePushedPlaylist(text);
  assert.ok(playlist.type === 'media');
  return playlist;
}

describe('playlists as encoders write them', () => {
  const filesOf = (text: string, name = 'live.m3u8') =>
    listedFiles(parseMedia(text), name).map((file) => [file.position, file.name, file.seconds]);

  test('ffmpeg with fMP4, program_date_time and independent_segments', () => {
    const text = [
      ...['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2', '#EXT-X-MEDIA-SEQUENCE:41'],
      ...['#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-MAP:URI="init.mp4"'],
      ...[
        '#EXTINF:2.000000,',
        '#EXT-X-PROGRAM-DATE-TIME:2026-11-25T10:15:02.120+0100',
        'live41.m4s',
      ],
      ...['#EXT-X-DISCONTINUITY', '#EXTINF:1.960000,'],
      ...['#EXT-X-PROGRAM-DATE-TIME:2026-11-25T10:15:04.120+0100', 'live42.m4s', ''],
    ].join('\n');
    assert.deepEqual(listedFiles(parseMedia(text), 'live.m3u8'), [
      {
        ...{ name: 'live41.m4s', position: 41, gap: false, seconds: 2 },
        programDateTimeMs: Date.UTC(2026, 10, 25, 9, 15, 2, 120),
      },
      {
        ...{ name: 'live42.m4s', position: 42, gap: false, seconds: 1.96 },
        programDateTimeMs: Date.UTC(2026, 10, 25, 9, 15, 4, 120),
      },
    ]);
  });

  test('nginx-vod, an event that grows from the first segment', () => {
    const text = [
      ...[
        '#EXTM3U',
        '#EXT-X-TARGETDURATION:10',
        '#EXT-X-ALLOW-CACHE:YES',
        '#EXT-X-PLAYLIST-TYPE:EVENT',
      ],
      ...['#EXT-X-VERSION:3', '#EXT-X-MEDIA-SEQUENCE:1'],
      ...[
        '#EXTINF:10.000,',
        'seg-1-v1-a1.ts',
        '#EXTINF:9.600,',
        'seg-2-v1-a1.ts',
        '#EXT-X-ENDLIST',
      ],
    ].join('\r\n');
    assert.deepEqual(filesOf(text), [
      [1, 'seg-1-v1-a1.ts', 10],
      [2, 'seg-2-v1-a1.ts', 9.6],
    ]);
    assert.equal(parseMedia(text).ended, true);
  });

  test('AWS Elemental, with ad markers and a base address', () => {
    const text = [
      ...['#EXTM3U', '#EXT-X-VERSION:4', '#EXT-X-TARGETDURATION:6', '#EXT-X-MEDIA-SEQUENCE:5310'],
      ...['#EXT-X-DISCONTINUITY-SEQUENCE:0', '#EXT-X-CUE-OUT:30.000', '#EXTINF:6.006,'],
      ...[
        'https://origin.example/channel/live_1_05310.ts?m=1763971200',
        '#EXT-X-CUE-OUT-CONT:6.006/30',
      ],
      ...['#EXTINF:6.006,', 'https://origin.example/channel/live_1_05311.ts?m=1763971200'],
    ].join('\n');
    assert.deepEqual(filesOf(text, 'hd/live_1.m3u8'), [
      [5310, 'hd/live_1_05310.ts', 6.006],
      [5311, 'hd/live_1_05311.ts', 6.006],
    ]);
  });

  test('GStreamer hlssink2, with titles and blank lines', () => {
    const text = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-ALLOW-CACHE:NO
#EXT-X-MEDIA-SEQUENCE:2
#EXT-X-TARGETDURATION:16

#EXTINF:15.016666412353516,A title
segment00002.ts

#EXTINF:15,
segment00003.ts
`;
    assert.deepEqual(filesOf(text), [
      [2, 'segment00002.ts', 15.016666412353516],
      [3, 'segment00003.ts', 15],
    ]);
  });

  test('GPAC, with segments by time and parts that are not used', () => {
    const text = [
      ...['#EXTM3U', '#EXT-X-TARGETDURATION:2', '#EXT-X-VERSION:9', '#EXT-X-MEDIA-SEQUENCE:7'],
      ...[
        '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.6',
        '#EXT-X-PART-INF:PART-TARGET=0.2',
      ],
      ...['#EXT-X-MAP:URI="live_dashinit.mp4"', '#EXTINF:2,', 'live_dash_1260000.m4s'],
      ...['#EXT-X-PART:DURATION=0.2,URI="live_dash_1440000.1.m4s",INDEPENDENT=YES'],
      ...['#EXT-X-PRELOAD-HINT:TYPE=PART,URI="live_dash_1440000.2.m4s"'],
    ].join('\n');
    assert.deepEqual(filesOf(text), [[7, 'live_dash_1260000.m4s', 2]]);
  });

  test('Wowza, with variants in folders', () => {
    const text = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-STREAM-INF:BANDWIDTH=2096000,CODECS="avc1.77.31,mp4a.40.2",RESOLUTION=1280x720
720p/chunklist_b2096000.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,URI="720p/iframes.m3u8"
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=1,BANDWIDTH=796000
360p/chunklist_b796000.m3u8
`;
    assert.deepEqual(parsePushedPlaylist(text), {
      type: 'multivariant',
      variants: [
        { uri: '720p/chunklist_b2096000.m3u8', bandwidth: 2_096_000 },
        { uri: '360p/chunklist_b796000.m3u8', bandwidth: 796_000 },
      ],
    });
  });

  test('one file in byte ranges is one segment, as long as they are together', () => {
    const text = [
      ...['#EXTM3U', '#EXT-X-TARGETDURATION:2', '#EXT-X-MEDIA-SEQUENCE:3', '#EXT-X-VERSION:4'],
      ...['#EXTINF:2,', '#EXT-X-BYTERANGE:900@0', 'all0.ts', '#EXT-X-BYTERANGE:800@900'],
      ...['#EXTINF:1.5,', 'all0.ts', '#EXTINF:2,', '#EXT-X-BYTERANGE:900@0', 'all1.ts'],
    ].join('\n');
    assert.deepEqual(filesOf(text), [
      [3, 'all0.ts', 3.5],
      [4, 'all1.ts', 2],
    ]);
  });

  test('of one name that is listed twice the last line counts', () => {
    const text =
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\na.ts\n#EXTINF:2,\nb.ts\n#EXTINF:1.5,\na.ts\n';
    assert.deepEqual(filesOf(text), [
      [0, 'b.ts', 2],
      [1, 'a.ts', 1.5],
    ]);
  });

  test('keyframes that are listed alone are told from segments', () => {
    const text =
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\n#EXT-X-BYTERANGE:9@0\na.ts\n';
    assert.equal(parseMedia(text).iFramesOnly, true);
  });

  test('lines may end as on an old Mac', () => {
    assert.deepEqual(filesOf('#EXTM3U\r#EXT-X-TARGETDURATION:2\r#EXTINF:2,\ra.ts\r'), [
      [0, 'a.ts', 2],
    ]);
  });
});
