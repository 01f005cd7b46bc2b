import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { inspectInit, inspectSegment } from '../../lib/media/inspect.ts';
import { box, fullBox, u32 } from '../../lib/media/iso-boxes.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { changeBoxes, changeTrack, setField } from '../support/mp4-mangler.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-tracks-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25'];
/** A second of picture, two times the same tone, and a still picture. */
const SOURCES = ['testsrc2=s=64x36:r=25:d=1', 'sine=d=1', 'sine=d=1', 'color=red:s=32x32:d=0.04'];

/** `options`: of the output. */
async function made(name: string, ...options: readonly string[]): Promise<Uint8Array> {
  const path = join(folder, name);
  const inputs = SOURCES.flatMap((source) => ['-f', 'lavfi', '-i', source]);
  await ffmpeg([...inputs, ...options, path]);
  return readFileSync(path);
}

const told = async (bytes: Uint8Array) => {
  const { facts } = await inspectSegment(bytes);
  return [
    ...(facts.video ? [facts.video.codec] : []),
    ...facts.audio.map(({ codec, trackId }) => `${codec} ${trackId}`),
    ...(facts.notices ?? []).map(({ code, message }) => `${code}: ${message}`),
  ];
};

const refusal = (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => assert.fail('It was taken.'),
    (error) => {
      assert.ok(error instanceof DomainError, String(error.stack));
      return `${error.code}: ${error.message}`;
    },
  );

const [PICTURE, SOUND, OTHER_SOUND, STILL] = SOURCES.map((_, index) => ['-map', String(index)]) as [
  string[],
  string[],
  string[],
  string[],
];

const text = (...words: readonly string[]): Uint8Array => Buffer.from(`${words.join('\0')}\0`);

test('a track says its language with the region, and that it describes the picture', async () => {
  const bytes = await made('said.mp4', ...PICTURE, ...SOUND, ...H264, '-c:a', 'aac');
  const languageOf = async (changed: Uint8Array) => {
    const [{ language, describesVideo } = assert.fail()] = (await inspectSegment(changed)).facts
      .audio;
    return [language, describesVideo];
  };
  const saying = (tag: string, ...kind: readonly string[]): Uint8Array =>
    changeTrack(bytes, 1, (path, body) => {
      if (path === 'moov/trak/mdia/mdhd') {
        return [box('mdhd', body), fullBox('elng', 0, 0, text(tag))];
      }
      if (path !== 'moov/trak/tkhd') return undefined;
      // What is no box may stand behind the boxes of user data.
      return [box('tkhd', body), box('udta', fullBox('kind', 0, 0, text(...kind)), [0, 0, 0, 0])];
    });
  const role = 'urn:mpeg:dash:role:2011';
  assert.deepEqual(await languageOf(bytes), ['und', undefined]);
  assert.deepEqual(await languageOf(saying('pt-br', role, 'description')), ['pt-BR', true]);
  assert.deepEqual(await languageOf(saying('fra', role, 'dub')), ['fr', undefined]);
  assert.deepEqual(await languageOf(saying('not a tag', 'other', 'description')), [
    'und',
    undefined,
  ]);
});

describe('tracks that cannot be read:', () => {
  let good: Uint8Array;
  before(async () => {
    good = await made('good.mp4', ...PICTURE, ...SOUND, ...H264, '-c:a', 'aac');
  });

  test('they are left out beside others of their kind, and named', async () => {
    const table = [
      [['pcm_s16le', 'pcm.mov'], 'PCM (sowt)'],
      [['pcm_s24be', 'pcm24.mov'], 'PCM (in24)'],
      [['alac', 'alac.mov'], 'ALAC (alac)'],
      [['pcm_mulaw', 'mulaw.mov'], 'G.711 (ulaw)'],
    ] as const;
    for (const [[codec, name], words] of table) {
      const audio = ['-c:a:0', codec, '-c:a:1', 'aac'];
      const bytes = await made(name, ...PICTURE, ...SOUND, ...OTHER_SOUND, ...H264, ...audio);
      const notice = `track_ignored: The audio track 2 is ${words}; it is left out.`;
      assert.deepEqual(await told(bytes), ['avc', 'aac 3', notice]);
    }
    const apac = changeTrack(
      await made('two.mp4', ...PICTURE, ...SOUND, ...OTHER_SOUND, ...H264, '-c:a', 'aac'),
      2,
      (path, body) => {
        if (!path.endsWith('stsd')) return undefined;
        const entry = Buffer.from(body);
        entry.write('apac', 12, 'latin1');
        return [box('stsd', entry)];
      },
    );
    const notice = 'track_ignored: The audio track 3 is APAC (apac); it is left out.';
    assert.deepEqual(await told(apac), ['avc', 'aac 2', notice]);
  });

  test('data and still pictures beside the media are left out', async () => {
    const cover = ['-c:v:1', 'mjpeg', '-timecode', '00:00:00:00'];
    const bytes = await made('cover.mov', ...PICTURE, ...STILL, ...SOUND, ...H264, ...cover);
    const [video, audio, ...notices] = await told(bytes);
    assert.deepEqual([video, audio], ['avc', 'aac 3']);
    assert.deepEqual(notices, [
      'track_ignored: The video track 2 is Motion JPEG (jpeg); it is left out.',
      'track_ignored: Track 4 is timecode (tmcd); it is left out.',
      'track_ignored: Track 5 is timecode (tmcd); it is left out.',
    ]);
  });

  test('a second picture is left out', async () => {
    const bytes = await made('second.mp4', ...PICTURE, ...STILL, ...H264);
    assert.deepEqual(await told(bytes), [
      'avc',
      'track_ignored: The video track 2 is a second picture; it is left out.',
    ]);
  });

  test('where they are all that there is of picture or sound, the segment is refused by their names', async () => {
    const table = [
      [
        ['pcm-alone.mov', ...PICTURE, ...SOUND, ...H264, '-c:a', 'pcm_s16le'],
        /audio .* PCM \(sowt\)/,
      ],
      [
        ['mp4v.mp4', ...PICTURE, ...SOUND, '-c:v', 'mpeg4', '-c:a', 'aac'],
        /MPEG-4 visual \(mp4v\)/,
      ],
      [['prores.mov', ...PICTURE, '-c:v', 'prores_ks'], /video track 1 is ProRes/],
    ] as const;
    for (const [[name, ...options], words] of table) {
      const said = await refusal(inspectSegment(await made(name, ...options)));
      assert.match(said, /^unsupported_media: The /);
      assert.match(said, words);
    }
  });

  test('those of PCM may have as many frames as they like', async () => {
    const many = ['-c:a:0', 'pcm_s16le', '-ar:a:0', '96000', '-c:a:1', 'aac'];
    const bytes = await made('many.mov', ...PICTURE, ...SOUND, ...OTHER_SOUND, ...H264, ...many);
    assert.deepEqual((await told(bytes)).slice(0, 2), ['avc', 'aac 3']);
  });

  test('encrypted ones are called so', async () => {
    const keys = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', '0'.repeat(32)];
    const id = ['-encryption_kid', '0'.repeat(32)];
    const options = [...H264, '-c:a', 'aac', ...keys, ...id];
    const bytes = await made('cenc.mp4', ...PICTURE, ...SOUND, ...options);
    const said =
      'unsupported_media: The video track 1 is encrypted (cenc). The audio track 2 is encrypted (cenc).';
    assert.equal(await refusal(inspectSegment(bytes)), said);
    assert.equal(await refusal(inspectInit(withoutMedia(bytes))), said);
  });

  test('an init segment with one track that can be read is good', async () => {
    const bytes = await made('init.mov', ...PICTURE, ...SOUND, ...H264, '-c:a', 'pcm_s16le');
    await inspectInit(withoutMedia(bytes));
    const sound = await made('init2.mov', ...SOUND, '-c:a', 'pcm_s16le');
    assert.match(await refusal(inspectInit(withoutMedia(sound))), /PCM \(sowt\)/);
  });

  test('a damaged configuration or time scale of one does not cost the others', async () => {
    const broken = changeTrack(good, 1, (path, body) => {
      if (!path.endsWith('stsd')) return undefined;
      const copy = Buffer.from(body);
      copy.fill(0xff, copy.indexOf('esds') + 8);
      return [box('stsd', copy)];
    });
    assert.match(await refusal(inspectSegment(broken)), /undecodable: The audio track 2 is/);
    const two = await made(
      'pair.mp4',
      ...PICTURE,
      ...SOUND,
      ...OTHER_SOUND,
      ...H264,
      '-c:a',
      'aac',
    );
    const untimed = changeTrack(two, 2, (path, body) => {
      if (!path.endsWith('mdhd')) return undefined;
      return [box('mdhd', body.subarray(0, 12), u32(0), body.subarray(16))];
    });
    const notice = 'track_ignored: The audio track 3 is without a time scale; it is left out.';
    assert.deepEqual(await told(untimed), ['avc', 'aac 2', notice]);
  });

  test('of more than sixteen tracks of sound the first are taken, beside the picture', async () => {
    const maps = Array.from({ length: 18 }, () => SOUND).flat();
    const codecs = [...H264, '-c:a', 'aac', '-t', '0.1'];
    const found = await told(await made('eighteen.mp4', ...PICTURE, ...maps, ...codecs));
    assert.equal(found[0], 'avc');
    assert.equal(found.filter((it) => it.startsWith('aac')).length, 16);
    assert.equal(
      found.at(-1),
      'track_ignored: The audio track 19 is one of more than 16; it is left out.',
    );
  });

  test('samples that only some of the tables list are left out, and counted', async () => {
    const short = setField(good, 'moov/trak/mdia/minf/stbl/stsz', 8, (count) => count - 1);
    assert.deepEqual(await told(short), ['avc', 'aac 2']);
    const shorter = changeTrack(good, 0, (path, body) =>
      path.endsWith('stts')
        ? [box('stts', body.subarray(0, 8), u32(24), body.subarray(12))]
        : undefined,
    );
    assert.deepEqual(await told(shorter), [
      'avc',
      'aac 2',
      'damaged: 1 of the 25 samples of track 1 are not in all of its tables; they are left out.',
    ]);
  });
});

/** The header of a file, as an init segment. */
const withoutMedia = (bytes: Uint8Array): Uint8Array =>
  changeBoxes(bytes, (path) =>
    path === 'mdat' || path === 'free' || path === 'wide' ? [] : undefined,
  );
