import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { DomainError } from '../../lib/domain/errors.ts';
import {
  listedFiles,
  MAX_PLAYLIST_BYTES,
  type PushedMediaPlaylist,
  parsePushedPlaylist,
  pushedName,
} from '../../lib/playlist/pushed-playlist.ts';
import { formatMediaPlaylist } from './format-media-playlist.ts';
import { mediaPlaylist } from './media-playlist-arbitrary.ts';

const run = promisify(execFile);

function parseMedia(text: string): PushedMediaPlaylist {
  const playlist = parsePushedPlaylist(text);
  assert.ok(playlist.type === 'media');
  return playlist;
}

test("ffmpeg's own playlist is read, and ffmpeg plays the one written from it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'playlist-'));
  t.after(() => rm(folder, { recursive: true }));
  const ffmpeg = (...args: string[]) =>
    run('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', ...args], { cwd: folder });
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=25:d=3.6'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'],
    ...['-f', 'hls', '-hls_time', '1', '-hls_list_size', '0', '-start_number', '7'],
    ...['-hls_flags', 'program_date_time', '-hls_segment_type', 'fmp4'],
    ...['-hls_segment_filename', 'live-%05d.m4s', 'live.m3u8'],
  );

  const pushed = parseMedia(await readFile(join(folder, 'live.m3u8'), 'utf8'));
  assert.equal(pushed.mediaSequence, 7);
  assert.equal(pushed.ended, true);
  assert.deepEqual(
    pushed.segments.map(({ name, durationSeconds, mapUri }) => [name, durationSeconds, mapUri]),
    [
      ['live-00007.m4s', 1, 'init.mp4'],
      ['live-00008.m4s', 1, 'init.mp4'],
      ['live-00009.m4s', 1, 'init.mp4'],
      ['live-00010.m4s', 0.6, 'init.mp4'],
    ],
  );
  const [first = Number.NaN, second = Number.NaN] = pushed.segments.map((s) => s.programDateTimeMs);
  assert.ok(Math.abs(second - first - 1000) <= 1, `${first} ${second}`);

  const text = formatMediaPlaylist({
    ...pushed,
    discontinuitySequence: 0,
    segments: pushed.segments.map((segment) => ({
      ...segment,
      mapUri: segment.mapUri ?? '',
      durationTicks: Math.round(segment.durationSeconds * 90_000),
      programDateTimeMs: segment.programDateTimeMs ?? 0,
    })),
  });
  await writeFile(join(folder, 'ours.m3u8'), text);
  const probe = await run(
    'ffprobe',
    [
      ...['-v', 'error', '-count_frames', '-of', 'json'],
      ...['-show_entries', 'stream=nb_read_frames:format=duration', 'ours.m3u8'],
    ],
    { cwd: folder },
  );
  const { streams, format } = JSON.parse(probe.stdout);
  assert.deepEqual([streams, format.duration], [[{ nb_read_frames: '90' }], '3.600000']);
});

test('liberties that encoders take are understood', () => {
  const text = [
    '\uFEFF#EXTM3U ',
    '#EXT-X-VERSION:3',
    '#EXT-X-ALLOW-CACHE:NO',
    '',
    '#EXT-X-TARGETDURATION:6',
    '#EXT-X-MEDIA-SEQUENCE: 15',
    '#EXT-X-SOMETHING-NEW:A="b"',
    '# a comment',
    '#EXTINF:4',
    'seg15.ts',
    '#EXTINF:4.004,A title, with a comma',
    '#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:04.250+0200',
    '#EXT-X-DISCONTINUITY',
    'https://encoder.test/hls/a/seg%2016.ts?token=a/b#c',
    '#EXT-X-GAP',
    '#EXT-X-MAP:BYTERANGE="700@0",URI="init,1.mp4"',
    '#EXT-X-PROGRAM-DATE-TIME:yesterday at 5',
    '#EXTINF:3.5,',
    'sub/100%.m4s',
    '#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:12',
    '#EXTINF:.5,',
    '17.m4s',
    '#EXTINF:4,cut off',
  ].join('\r\n');
  assert.deepEqual(parsePushedPlaylist(text), {
    type: 'media',
    targetDurationSeconds: 6,
    mediaSequence: 15,
    ended: false,
    segments: [
      { uri: 'seg15.ts', name: 'seg15.ts', durationSeconds: 4, discontinuity: false, gap: false },
      {
        uri: 'https://encoder.test/hls/a/seg%2016.ts?token=a/b#c',
        name: 'seg 16.ts',
        durationSeconds: 4.004,
        programDateTimeMs: Date.UTC(2026, 10, 21, 10, 0, 4, 250),
        discontinuity: true,
        gap: false,
      },
      {
        uri: 'sub/100%.m4s',
        name: '100%.m4s',
        durationSeconds: 3.5,
        discontinuity: false,
        gap: true,
        mapUri: 'init,1.mp4',
      },
      {
        uri: '17.m4s',
        name: '17.m4s',
        durationSeconds: 0.5,
        programDateTimeMs: Date.UTC(2026, 10, 21, 10, 0, 12),
        discontinuity: false,
        gap: false,
        mapUri: 'init,1.mp4',
      },
    ],
  });
  const ended = parseMedia('#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-ENDLIST');
  assert.deepEqual([ended.ended, ended.mediaSequence, ended.segments], [true, 0, []]);
});

test('a playlist whose newest segment is encrypted says how', () => {
  const playlist = (...keys: readonly string[]) => {
    const lines = keys.flatMap((key) => [`#EXT-X-KEY:${key}`, '#EXTINF:4,', 'a.ts']);
    return parseMedia(['#EXTM3U', '#EXT-X-TARGETDURATION:4', ...lines].join('\n')).encryption;
  };
  const AES = 'METHOD=AES-128,URI="https://x/key?a,b",IV=0x01';
  assert.equal(playlist(AES), 'AES-128');
  assert.equal(playlist(AES, 'METHOD=NONE'), undefined);
  assert.equal(playlist('METHOD=NONE', 'METHOD=SAMPLE-AES,KEYFORMAT="com.apple"'), 'SAMPLE-AES');
});

test('files that hold parts of a segment are named, ranges of its own file are not', () => {
  const part = (number: number) =>
    `#EXT-X-PART:DURATION=0.5,URI="part${number}.m4s",INDEPENDENT=YES`;
  const text = [
    ...['#EXTM3U', '#EXT-X-TARGETDURATION:4', ...Array.from({ length: 30 }, (_, n) => part(n))],
    '#EXT-X-PART:DURATION=0.5,URI="seg.m4s",BYTERANGE="700@0"',
  ].join('\n');
  const { parts = [] } = parseMedia(text);
  assert.deepEqual([parts.length, parts.at(-1)], [16, 'part29.m4s']);
});

test('times are read as encoders write them', () => {
  const timeOf = (text: string) =>
    parseMedia(
      `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PROGRAM-DATE-TIME:${text}\n#EXTINF:4,\na.ts`,
    ).segments[0]?.programDateTimeMs;
  const TEN = Date.UTC(2026, 10, 26, 10, 0, 0, 250);
  const forms = ['2026-11-26T10:00:00.250Z', '2026-11-26T11:00:00.250+0100'].concat([
    ...['2026-11-26T11:30:00.25+01:30', '2026-11-26t10:00:00,250z', '2026-11-26 10:00:00.250'],
  ]);
  for (const form of forms) assert.equal(timeOf(form), TEN, form);
  for (const form of ['', 'now', '2026-11-26', '2026-13-26T10:00:00Z', '2026-11-26T10:00:61Z']) {
    assert.equal(timeOf(form), undefined, form);
  }
});

test('a multivariant playlist is known as one', () => {
  const text = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="a.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1
v.m3u8
`;
  assert.deepEqual(parsePushedPlaylist(text), {
    type: 'multivariant',
    variants: [{ uri: 'v.m3u8', bandwidth: 1 }],
  });
});

test('text that is no playlist is refused by the line that shows it', () => {
  const head = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n';
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /^Line 1 of the playlist is "": it must be #EXTM3U\.$/],
    ['{"not":"a playlist"}', /^Line 1 of the playlist is "\{\\"not\\":/],
    ['\n#EXTM3U\n', /^Line 1 /],
    ['#EXTM3U\n#EXT-X-ENDLIST', /^Line 2 .* the playlist ends without #EXT-X-TARGETDURATION/],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:soon\n', /^Line 2 .*"#EXT-X-TARGETDURATION:soon"/],
    [`${head}a.ts\n`, /^Line 3 .*"a\.ts": a segment needs #EXTINF before it/],
    [`${head}#EXTINF:4,\na.ts\nb.ts\n`, /^Line 5 .*"b\.ts"/],
    [`${head}#EXTINF:-1,\na.ts\n`, /^Line 3 .*duration/],
    [`${head}#EXTINF:${'9'.repeat(400)},\na.ts\n`, /^Line 3 of the playlist is "#EXTINF:9{72}":/],
    [`${head}#EXT-X-MEDIA-SEQUENCE:99999999999999999\n`, /^Line 3 /],
    [`${head}#EXT-X-MEDIA-SEQUENCE:1.5\n`, /^Line 3 /],
    [`${head}#EXT-X-MAP:BYTERANGE="1@0"\n`, /^Line 3 .*URI/],
    [`${head}#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n`, /^Line 3 .*one playlist/],
    [`#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n#EXT-X-TARGETDURATION:4`, /^Line 4 /],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parsePushedPlaylist(text), {
      name: 'DomainError',
      code: 'bad_request',
      message,
    });
  }
});

test('a playlist that we wrote is read as it was meant', () => {
  fc.assert(
    fc.property(mediaPlaylist, (playlist) => {
      const pushed = parseMedia(formatMediaPlaylist(playlist));
      assert.deepEqual(
        {
          ...pushed,
          segments: pushed.segments.map(({ durationSeconds, name: _name, ...segment }) => ({
            ...segment,
            durationTicks: Math.round(durationSeconds * 90_000),
          })),
        },
        {
          type: 'media',
          targetDurationSeconds: playlist.targetDurationSeconds,
          mediaSequence: playlist.mediaSequence,
          ended: playlist.ended,
          segments: playlist.segments,
        },
      );
      assert.ok(pushed.segments.every(({ uri, name }) => uri.endsWith(`/${name}`)));
    }),
  );
});

test('any text gives a playlist or a domain error', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(
        fc.constantFrom(
          '#EXTM3U',
          '#EXTINF:',
          '#EXT-X-TARGETDURATION:',
          '#EXT-X-MEDIA-SEQUENCE:',
          '#EXT-X-PROGRAM-DATE-TIME:2026-11-21T99:00:00',
          '#EXT-X-MAP:URI="',
          '#EXT-X-STREAM-INF:',
          '#EXT-X-ENDLIST',
          '#EXT-X-BYTERANGE:',
          '#EXT-X-KEY:METHOD=',
          '#EXT-X-PART:URI="',
          '#EXT-X-GAP',
          '#EXT-X-I-FRAMES-ONLY',
          'a%',
          '../',
        ),
        fc.oneof(fc.constant(''), fc.constant('4'), fc.string({ unit: 'binary' })),
      )
      .map(([start, end]) => start + end),
  );
  const text = fc
    .tuple(fc.boolean(), fc.array(line), fc.constantFrom('\n', '\r\n', '\r'))
    .map(([begins, lines, end]) => [...(begins ? ['#EXTM3U'] : []), ...lines].join(end));
  fc.assert(
    fc.property(text, (candidate) => {
      try {
        const playlist = parsePushedPlaylist(candidate);
        for (const segment of playlist.type === 'media' ? playlist.segments : []) {
          assert.ok(Number.isFinite(segment.durationSeconds));
        }
        if (playlist.type === 'media') listedFiles(playlist, 'a/live.m3u8');
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test('a URI is the name that its file is pushed under', () => {
  const CASES: readonly (readonly [uri: string, playlist: string, name: string])[] = [
    ['seg1.ts', 'live.m3u8', 'seg1.ts'],
    ['seg1.ts', 'v0/live.m3u8', 'v0/seg1.ts'],
    ['v0/seg1.ts', 'live.m3u8', 'v0/seg1.ts'],
    ['./v0//seg1.ts?token=a/b#c', 'live.m3u8', 'v0/seg1.ts'],
    ['../seg1.ts', 'v0/live.m3u8', 'seg1.ts'],
    ['../../../seg1.ts', 'v0/live.m3u8', 'seg1.ts'],
    ['https://cdn.example/any/where/seg1.ts', 'v0/live.m3u8', 'v0/seg1.ts'],
    ['/any/where/seg1.ts', 'live.m3u8', 'seg1.ts'],
    ['%D1%81%201.ts', 'live.m3u8', 'с 1.ts'],
    ['100%.ts', 'live.m3u8', '100%.ts'],
  ];
  for (const [uri, playlist, name] of CASES) assert.equal(pushedName(uri, playlist), name, uri);
});

test('the size of a playlist is limited', () => {
  const head = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n';
  const line = (number: number) => `#EXTINF:2,\nseg${number}.ts\n`;
  const day = head + Array.from({ length: 43_200 }, (_, number) => line(number)).join('');
  assert.equal(parseMedia(day).segments.length, 43_200);
  const tooLarge = { name: 'DomainError', code: 'too_large' };
  assert.throws(() => parsePushedPlaylist(head + 'x'.repeat(MAX_PLAYLIST_BYTES)), tooLarge);
  assert.throws(() => parsePushedPlaylist(head + '\n'.repeat(500_000)), tooLarge);
  const long = `${head}#EXTINF:2,\n${'x'.repeat(5000)}.ts\n`;
  assert.throws(() => parsePushedPlaylist(long), {
    code: 'bad_request',
    message: /5003 characters/,
  });
  const tag = `${head}#EXT-X-SESSION-DATA:VALUE="${'x'.repeat(50_000)}"\n`;
  assert.deepEqual(parseMedia(tag).segments, []);
});
