import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AudioRendition, Variant } from '../../lib/domain/presentation.ts';
import { parseAttributes, quotedLabel } from '../../lib/playlist/hls-attributes.ts';
import { formatMultivariantPlaylist } from '../../lib/playlist/hls-multivariant.ts';
import { parseMultivariantWithHls } from './parse-with-hls.ts';
import { parseWithM3u8Parser } from './parse-with-m3u8-parser.ts';

const video: Variant = {
  rendition: '720p',
  peakBps: 2_628_000.2,
  averageBps: 1_900_000,
  codecs: ['avc1.64001f', 'mp4a.40.2'],
  resolution: { widthPx: 1280, heightPx: 720 },
  framesPerSecond: 30_000 / 1001,
  audioGroupId: 'audio',
};

const english: AudioRendition = {
  name: 'audio-en',
  codecString: 'mp4a.40.2',
  channels: 2,
  sampleRateHz: 48_000,
  language: 'en',
  label: 'English',
  isDefault: true,
  peakBps: 130_000,
  averageBps: 128_000,
};

const withAudio = (audio: readonly AudioRendition[], id = 'audio') => ({
  variants: [video],
  audioGroups: [{ id, renditions: audio, isInVariant: false }],
});

const m3u8 = (rendition: string): string => `${rendition}.m3u8`;

test('multivariant playlist: variants and languages are listed as the authoring specification wants them', () => {
  const text = formatMultivariantPlaylist(
    {
      variants: [
        video,
        {
          ...video,
          rendition: '360p',
          peakBps: 800_000,
          averageBps: 600_000,
          codecs: ['avc1.64001e', 'mp4a.40.2'],
          resolution: { widthPx: 640, heightPx: 360 },
          framesPerSecond: 25,
        },
      ],
      audioGroups: [
        {
          id: 'audio',
          isInVariant: false,
          renditions: [
            english,
            {
              ...english,
              name: 'audio-pt',
              label: 'Director, "uncut"\r\nversion',
              language: 'pt-BR',
              isDefault: false,
              channels: 6,
            },
          ],
        },
      ],
    },
    (rendition) => `${m3u8(rendition)}${rendition === '360p' ? '?a=1,b=2' : ''}`,
  );
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Director, 'uncut' version",LANGUAGE="pt-BR",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="6",URI="audio-pt.m3u8"
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
    {
      groupId: 'audio',
      name: 'English',
      language: 'en',
      isDefault: true,
      autoselect: true,
      channels: '2',
      uri: 'https://playlist.test/audio-en.m3u8',
    },
    {
      groupId: 'audio',
      name: "Director, 'uncut' version",
      language: 'pt-BR',
      isDefault: false,
      autoselect: true,
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
      { default: false, autoselect: true, language: 'pt-BR', uri: 'audio-pt.m3u8' },
    ],
  ]);
});

test('multivariant playlist: a variant without video has no RESOLUTION', () => {
  const audioOnly: Variant = {
    rendition: 'audio-und',
    peakBps: 140_000,
    averageBps: 130_000,
    codecs: ['mp4a.40.2'],
    resolution: undefined,
    framesPerSecond: undefined,
    audioGroupId: undefined,
  };
  const text = formatMultivariantPlaylist({ variants: [audioOnly], audioGroups: [] }, m3u8);
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

test('multivariant playlist: languages of a stream without video are one variant, which lists the default', () => {
  const german = { ...english, name: 'audio-2', language: 'de', label: 'de', isDefault: false };
  const { resolution: _, framesPerSecond: __, ...rest } = video;
  const variant = { ...rest, rendition: 'audio-en', codecs: ['mp4a.40.2'] };
  const text = formatMultivariantPlaylist(
    {
      variants: [{ ...variant, resolution: undefined, framesPerSecond: undefined }],
      audioGroups: [{ id: 'audio', renditions: [english, german], isInVariant: true }],
    },
    m3u8,
  );
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="de",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="audio-2.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2628001,AVERAGE-BANDWIDTH=1900000,CODECS="mp4a.40.2",AUDIO="audio",CLOSED-CAPTIONS=NONE
audio-en.m3u8
`,
  );
});

test('multivariant playlist: an unknown language is not mentioned', () => {
  const text = formatMultivariantPlaylist(withAudio([{ ...english, language: undefined }]), m3u8);
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

test('multivariant playlist: whatever people call a rendition, hls.js reads one label of one line', () => {
  const oddities = fc.constantFrom('"', '{$x}', '\u2028', '\r\n#EXT-X-STREAM-INF:', ',URI="', '=');
  const words = fc
    .array(fc.oneof(fc.string({ unit: 'binary' }), oddities), { maxLength: 5 })
    .map((parts) => `a${parts.join('')}`);
  fc.assert(
    fc.property(words, (name) => {
      const text = formatMultivariantPlaylist(withAudio([{ ...english, label: name }]), m3u8);
      const { audio, variants } = parseMultivariantWithHls(text);
      assert.equal(variants.length, 1);
      assert.equal(audio.length, 1);
      assert.equal(`"${audio[0]?.name}"`, quotedLabel(name));
      assert.equal(audio[0]?.uri, 'https://playlist.test/audio-en.m3u8');
    }),
  );
});

test('multivariant playlist: a label is well-formed Unicode in composed form on one line', () => {
  assert.equal(quotedLabel(' Cafe\u0301\t\r\n"x"\u2028y '), `"Caf\u00e9 'x' y"`);
  assert.equal(quotedLabel('a\ud83d'), '"a\ufffd"');
  assert.equal(quotedLabel('{$HOST}'), '"{ $HOST}"');
});

test('multivariant playlist: identifiers and URIs that cannot be quoted are refused, not changed', () => {
  const format = (changes: Partial<AudioRendition>, id?: string): string =>
    formatMultivariantPlaylist(withAudio([{ ...english, ...changes }], id), m3u8);
  assert.throws(() => format({}, 'a"b'), /cannot be quoted/);
  assert.throws(() => format({}, '{$a}'), /cannot be quoted/);
  assert.throws(() => format({ language: 'en\n' }), /cannot be quoted/);
  assert.throws(() => format({ name: 'a b' }), /is no URI/);
  assert.throws(() => format({ label: ' \n' }), /leaves no label/);
  const variants = [{ ...video, rendition: 'a\nb' }];
  assert.throws(() => formatMultivariantPlaylist({ variants, audioGroups: [] }, m3u8), /is no URI/);
});

test('HLS attribute lists are read with quoted commas, spaces and broken ends', () => {
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
