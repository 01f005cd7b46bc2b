import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAttributes, quotedLabel } from '../../lib/playlist/hls-attributes.ts';
import {
  type AudioRendition,
  formatMultivariantPlaylist,
  type Variant,
} from '../../lib/playlist/hls-multivariant.ts';
import { parseMultivariantWithHls } from './parse-with-hls.ts';
import { parseWithM3u8Parser } from './parse-with-m3u8-parser.ts';

const video: Variant = {
  uri: '720p.m3u8',
  bandwidthBps: 2_628_000.2,
  averageBandwidthBps: 1_900_000,
  codecs: ['avc1.64001f', 'mp4a.40.2'],
  resolution: { widthPx: 1280, heightPx: 720 },
  frameRate: 30_000 / 1001,
  audioGroup: 'audio',
};

const english: AudioRendition = {
  groupId: 'audio',
  name: 'English',
  language: 'en',
  isDefault: true,
  autoselect: true,
  channels: 2,
  uri: 'audio-en.m3u8',
};

test('variants and languages are listed as the authoring specification wants them', () => {
  const text = formatMultivariantPlaylist({
    variants: [
      video,
      {
        ...video,
        uri: '360p.m3u8?a=1,b=2',
        bandwidthBps: 800_000,
        averageBandwidthBps: 600_000,
        codecs: ['avc1.64001e', 'mp4a.40.2'],
        resolution: { widthPx: 640, heightPx: 360 },
        frameRate: 25,
      },
    ],
    audio: [
      english,
      {
        ...english,
        name: 'Director, "uncut"\r\nversion',
        language: 'pt-BR',
        isDefault: false,
        autoselect: false,
        channels: 6,
        uri: 'audio-pt.m3u8',
      },
    ],
  });
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Director, 'uncut' version",LANGUAGE="pt-BR",DEFAULT=NO,AUTOSELECT=NO,CHANNELS="6",URI="audio-pt.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2628001,AVERAGE-BANDWIDTH=1900000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.97,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE
720p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,AVERAGE-BANDWIDTH=600000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE
360p.m3u8?a=1,b=2
`,
  );

  const byHls = parseMultivariantWithHls(text);
  assert.deepEqual(byHls.variants[0], {
    uri: 'https://playlist.test/720p.m3u8',
    bandwidthBps: 2_628_001,
    widthPx: 1280,
    heightPx: 720,
    videoCodec: 'avc1.64001f',
    audioCodec: 'mp4a.40.2',
    attributes: {
      BANDWIDTH: '2628001',
      'AVERAGE-BANDWIDTH': '1900000',
      CODECS: 'avc1.64001f,mp4a.40.2',
      RESOLUTION: '1280x720',
      'FRAME-RATE': '29.97',
      'VIDEO-RANGE': 'SDR',
      AUDIO: 'audio',
      'CLOSED-CAPTIONS': 'NONE',
    },
  });
  assert.equal(byHls.variants[1]?.uri, 'https://playlist.test/360p.m3u8?a=1,b=2');
  assert.deepEqual(byHls.audio, [
    { ...english, channels: '2', uri: 'https://playlist.test/audio-en.m3u8' },
    {
      groupId: 'audio',
      name: "Director, 'uncut' version",
      language: 'pt-BR',
      isDefault: false,
      autoselect: false,
      channels: '6',
      uri: 'https://playlist.test/audio-pt.m3u8',
    },
  ]);

  const manifest = parseWithM3u8Parser(text);
  assert.deepEqual(
    manifest.playlists?.map(({ uri, attributes }) => [uri, attributes]),
    [
      [
        '720p.m3u8',
        {
          BANDWIDTH: 2_628_001,
          'AVERAGE-BANDWIDTH': '1900000',
          CODECS: 'avc1.64001f,mp4a.40.2',
          RESOLUTION: { width: 1280, height: 720 },
          'FRAME-RATE': 29.97,
          'VIDEO-RANGE': 'SDR',
          AUDIO: 'audio',
          'CLOSED-CAPTIONS': 'NONE',
        },
      ],
      [
        '360p.m3u8?a=1,b=2',
        {
          BANDWIDTH: 800_000,
          'AVERAGE-BANDWIDTH': '600000',
          CODECS: 'avc1.64001e,mp4a.40.2',
          RESOLUTION: { width: 640, height: 360 },
          'FRAME-RATE': 25,
          'VIDEO-RANGE': 'SDR',
          AUDIO: 'audio',
          'CLOSED-CAPTIONS': 'NONE',
        },
      ],
    ],
  );
  assert.deepEqual(Object.entries(manifest.mediaGroups?.AUDIO.audio ?? {}), [
    ['English', { default: true, autoselect: true, language: 'en', uri: 'audio-en.m3u8' }],
    [
      "Director, 'uncut' version",
      { default: false, autoselect: false, language: 'pt-BR', uri: 'audio-pt.m3u8' },
    ],
  ]);
});

test('a stream without pictures has variants without a resolution', () => {
  const text = formatMultivariantPlaylist({
    variants: [
      {
        uri: 'audio-und.m3u8',
        bandwidthBps: 140_000,
        averageBandwidthBps: 130_000,
        codecs: ['mp4a.40.2'],
      },
    ],
    audio: [],
  });
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=130000,CODECS="mp4a.40.2",CLOSED-CAPTIONS=NONE
audio-und.m3u8
`,
  );
  const [variant] = parseMultivariantWithHls(text).variants;
  assert.equal(variant?.audioCodec, 'mp4a.40.2');
  assert.equal(variant?.widthPx, undefined);
  assert.equal(parseWithM3u8Parser(text).playlists?.length, 1);
});

test('a default rendition may always be selected, and an unknown language is not mentioned', () => {
  const { language: _language, ...unknown } = english;
  const text = formatMultivariantPlaylist({
    variants: [video],
    audio: [{ ...unknown, isDefault: true, autoselect: false }],
  });
  assert.deepEqual(parseMultivariantWithHls(text).audio, [
    {
      groupId: 'audio',
      name: 'English',
      isDefault: true,
      autoselect: true,
      channels: '2',
      uri: 'https://playlist.test/audio-en.m3u8',
    },
  ]);
});

test('whatever people call a rendition, hls.js reads one label of one line', () => {
  const oddities = fc.constantFrom('"', '{$x}', '\u2028', '\r\n#EXT-X-STREAM-INF:', ',URI="', '=');
  const words = fc
    .array(fc.oneof(fc.string({ unit: 'binary' }), oddities), { maxLength: 5 })
    .map((parts) => `a${parts.join('')}`);
  fc.assert(
    fc.property(words, (name) => {
      const text = formatMultivariantPlaylist({ variants: [video], audio: [{ ...english, name }] });
      const { audio, variants } = parseMultivariantWithHls(text);
      assert.equal(variants.length, 1);
      assert.equal(audio.length, 1);
      assert.equal(`"${audio[0]?.name}"`, quotedLabel(name));
      assert.equal(audio[0]?.uri, 'https://playlist.test/audio-en.m3u8');
    }),
  );
});

test('a label is well-formed Unicode in composed form on one line', () => {
  assert.equal(quotedLabel(' Cafe\u0301\t\r\n"x"\u2028y '), `"Caf\u00e9 'x' y"`);
  assert.equal(quotedLabel('a\ud83d'), '"a\ufffd"');
  assert.equal(quotedLabel('{$HOST}'), '"{ $HOST}"');
});

test('identifiers and URIs that cannot be quoted are refused, not bent', () => {
  const format = (changes: Partial<AudioRendition>): string =>
    formatMultivariantPlaylist({ variants: [video], audio: [{ ...english, ...changes }] });
  assert.throws(() => format({ groupId: 'a"b' }), /cannot be quoted/);
  assert.throws(() => format({ groupId: '{$a}' }), /cannot be quoted/);
  assert.throws(() => format({ language: 'en\n' }), /cannot be quoted/);
  assert.throws(() => format({ uri: 'a b' }), /is no URI/);
  assert.throws(() => format({ name: ' \n' }), /leaves no label/);
  const variants = [{ ...video, uri: 'a\nb' }];
  assert.throws(() => formatMultivariantPlaylist({ variants, audio: [] }), /is no URI/);
});

test('attribute lists are read with quoted commas, spaces and broken ends', () => {
  const read = (text: string): [string, string][] => [...parseAttributes(text)];
  assert.deepEqual(read('BANDWIDTH=1,CODECS="a,b", URI="x=y",RESOLUTION=1x2'), [
    ['BANDWIDTH', '1'],
    ['CODECS', 'a,b'],
    ['URI', 'x=y'],
    ['RESOLUTION', '1x2'],
  ]);
  assert.deepEqual(read(' A = 1 , B = "2" ,C=3'), [
    ['A', '1'],
    ['B', '2'],
    ['C', '3'],
  ]);
  assert.deepEqual(read('A=1,nonsense,B=2'), [['A', '1']]);
  assert.deepEqual(read('URI="unclosed'), [['URI', '"unclosed']]);
  assert.deepEqual(read('URI=""'), [['URI', '']]);
  assert.deepEqual(read(''), []);
});
