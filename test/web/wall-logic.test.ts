import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { gridOf } from '../../web/wall/grid.ts';
import { smallestVariant } from '../../web/wall/smallest-variant.ts';
import {
  fileName,
  playlistAddress,
  playlistFile,
  searchOf,
  streamsOf,
  vlcAddress,
} from '../../web/wall/wall-address.ts';
import {
  coverageOf,
  instantAtOffset,
  isCovered,
  lengthMs,
  nextCovered,
  offsetOfInstant,
  type Span,
  spansOf,
} from '../../web/wall/wall-timeline.ts';

describe('the grid of the wall', () => {
  test('wall grid: four tiles are two by two, and a narrow window stacks them', () => {
    assert.deepEqual(gridOf(4, 1280, 600, 4), { columns: 2, tileWidthPx: 529, tileHeightPx: 297 });
    assert.deepEqual(gridOf(1, 1280, 600, 4).columns, 1);
    assert.deepEqual(gridOf(2, 1280, 600, 4).columns, 2);
    assert.deepEqual(gridOf(4, 360, 900, 4).columns, 1);
  });

  test('wall grid: up to sixteen tiles fit a desktop window without scrolling', () => {
    const count = fc.integer({ min: 1, max: 16 });
    const width = fc.integer({ min: 1024, max: 4000 });
    const height = fc.integer({ min: 500, max: 2200 });
    fc.assert(
      fc.property(count, width, height, (tiles, widthPx, heightPx) => {
        const { columns, tileWidthPx, tileHeightPx } = gridOf(tiles, widthPx, heightPx, 4);
        const rows = Math.ceil(tiles / columns);
        assert.ok(columns * tileWidthPx + 4 * (columns - 1) <= widthPx);
        assert.ok(rows * tileHeightPx + 4 * (rows - 1) <= heightPx);
      }),
    );
  });

  test('wall grid: where tiles would be too small to see, the wall scrolls', () => {
    const { columns, tileWidthPx } = gridOf(30, 320, 480, 4);
    assert.deepEqual([columns, tileWidthPx], [2, 158]);
  });
});

describe('the addresses of the wall', () => {
  test('wall address: it names the streams, and nothing else', () => {
    assert.equal(streamsOf(''), undefined);
    assert.deepEqual(streamsOf('?streams='), []);
    assert.deepEqual(streamsOf('?key=x&streams=a,%20b,a,../c,,d%2Fe,f_1'), ['a', 'b', 'f_1']);
    assert.equal(searchOf(['a', 'b']), '?streams=a,b');
  });

  test('wall address: other players get the playlist', () => {
    const address = playlistAddress('https://live.example', 'door');
    assert.equal(address, 'https://live.example/viewstream/metadata/door.m3u8');
    assert.equal(vlcAddress(address), 'vlc://https://live.example/viewstream/metadata/door.m3u8');
    assert.equal(
      playlistFile('Door\n#EXTINF:1,x\nhttp://evil', address),
      `#EXTM3U\n#EXTINF:-1,Door #EXTINF:1,x http://evil\n${address}\n`,
    );
    assert.equal(fileName('door', 'm3u'), 'door.m3u');
    const atMs = Date.parse('2026-01-31T08:15:00.500Z');
    assert.equal(fileName('door', 'png', atMs), 'door-2026-01-31T08-15-00.png');
  });
});

describe('the playlist of a tile', () => {
  test('tile playlist: it keeps the picture of the smallest rendition', () => {
    const playlist = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",URI="a/audio.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="audio"',
      'a/720p.m3u8?broadcast=2',
      '#EXT-X-STREAM-INF:AUDIO="audio",BANDWIDTH=300000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=25.000',
      '',
      'a/240p.m3u8?broadcast=2',
      '#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="mp4a.40.2",AUDIO="audio"',
      'a/audio.m3u8',
      '',
    ];
    const expected = [
      ...playlist.slice(0, 3),
      '#EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS="avc1.42c01e",RESOLUTION=426x240,FRAME-RATE=25.000',
      'a/240p.m3u8?broadcast=2',
      '',
    ];
    assert.equal(smallestVariant(playlist.join('\n')), expected.join('\n'));
    assert.equal(smallestVariant(playlist.join('\r\n')), expected.join('\n'));
  });

  test('tile playlist: sound alone, and what is no multivariant playlist, stay as they are', () => {
    const sound = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2"\naudio.m3u8\n';
    assert.equal(smallestVariant(sound), sound);
    assert.equal(smallestVariant('<html>'), '<html>');
  });
});

describe('the time slider of the wall', () => {
  const run = (fromMs: number, count: number) =>
    Array.from({ length: count }, (_, index) => {
      return { start: index * 2, duration: 2, programDateTime: fromMs + index * 2000 };
    });

  test('wall timeline: a run of an encoder is one span, and gaps part it', () => {
    const segments = [
      ...run(10_000, 3),
      { start: 6, duration: 2, programDateTime: 16_000, gap: true },
      ...run(18_000, 1),
      { start: 10, duration: 2, programDateTime: null },
      ...run(60_000, 2),
    ];
    assert.deepEqual(spansOf(segments), [
      { fromMs: 10_000, toMs: 16_000 },
      { fromMs: 18_000, toMs: 20_000 },
      { fromMs: 60_000, toMs: 64_000 },
    ]);
  });

  test('wall timeline: a clock that was set back between two runs joins what overlaps', () => {
    assert.deepEqual(spansOf([...run(10_000, 3), ...run(14_000, 3)]), [
      { fromMs: 10_000, toMs: 20_000 },
    ]);
  });

  test('wall timeline: the slider leaves out the time in which no stream has media', () => {
    const door = [{ fromMs: 0, toMs: 1000 }];
    const yard = [
      { fromMs: 500, toMs: 2000 },
      { fromMs: 9000, toMs: 10_000 },
    ];
    const coverage = coverageOf([door, yard]);
    assert.equal(lengthMs(coverage), 3000);
    assert.equal(instantAtOffset(coverage, 1999), 1999);
    assert.equal(instantAtOffset(coverage, 2000), 9000);
    assert.equal(instantAtOffset(coverage, 99_999), 10_000);
    assert.equal(instantAtOffset([], 5), undefined);
    assert.equal(offsetOfInstant(coverage, -5), 0);
    assert.equal(offsetOfInstant(coverage, 5000), 2000);
    assert.equal(offsetOfInstant(coverage, 99_999), 3000);
    assert.equal(nextCovered(coverage, 5000), 9000);
    assert.equal(nextCovered(coverage, 1500), undefined);
    assert.equal(nextCovered(coverage, 10_000), undefined);
    assert.equal(isCovered(door, 1000), false);
  });

  test('wall timeline: place and instant lead back to each other, whatever the streams', () => {
    const span = fc.tuple(fc.nat(100_000), fc.integer({ min: 1, max: 20_000 }));
    const spans = fc.array(
      span.map(([fromMs, length]): Span => ({ fromMs, toMs: fromMs + length })),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        fc.array(spans, { minLength: 1, maxLength: 4 }),
        fc.nat(1000),
        (streams, part) => {
          const coverage = coverageOf(streams);
          const offset = Math.floor((lengthMs(coverage) - 1) * (part / 1000));
          const instant = instantAtOffset(coverage, offset);
          assert.ok(instant !== undefined && isCovered(coverage, instant));
          assert.equal(offsetOfInstant(coverage, instant), offset);
        },
      ),
    );
  });
});
