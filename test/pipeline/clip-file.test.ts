import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { CueInput } from '../../lib/api/captions.ts';
import type { CaptionTrack } from '../../lib/domain/captions/caption.ts';
import { boxesIn } from '../../lib/media/iso-boxes.ts';
import { putCues } from '../../lib/pipeline/captions/edit-captions.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { clipEntries } from '../../lib/pipeline/view/clips/clip-entries.ts';
import { decodeMoments, flashAndBeep, lipSyncOf, reorderedVideo } from '../support/lip-sync.ts';
import { cutSegments, type RecordedShow, recordShow } from '../support/recorded-show.ts';
import type { Scope } from '../support/system.ts';

const run = promisify(execFile);
const RATE = 30;
const LADDER = [{ name: '180p', shortSidePx: 180, maxrateBps: 700_000 }];
const LANGUAGES = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu'];

/** Of everything that a program prints. */
const decode = async (args: readonly string[]): Promise<Buffer> => {
  const options = { encoding: 'buffer', maxBuffer: 2 ** 28 } as const;
  return (await run('ffmpeg', ['-nostdin', '-v', 'error', ...args], options)).stdout;
};

const FRAME_BYTES = 80 * 45;
async function pictures(path: string): Promise<readonly Uint8Array[]> {
  const filter = ['-vf', 'scale=80:45:flags=area,format=gray', '-fps_mode', 'passthrough'];
  const raw = await decode(['-i', path, '-map', '0:v:0', ...filter, '-f', 'rawvideo', '-']);
  return Array.from({ length: raw.length / FRAME_BYTES }, (_, index) =>
    raw.subarray(index * FRAME_BYTES, (index + 1) * FRAME_BYTES),
  );
}

async function sound(path: string, track = 0): Promise<Int16Array> {
  const pcm = await decode(['-i', path, '-map', `0:a:${track}`, '-f', 's16le', '-ac', '1', '-']);
  return new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
}

type Probed = Readonly<{
  codec_type: string;
  codec_name: string;
  duration: string;
  nb_frames: string;
  nb_read_frames: string;
  tags?: Readonly<{ language?: string; handler_name?: string }>;
  disposition: Readonly<{ default: number; forced: number }>;
}>;

async function probe(path: string): Promise<readonly Probed[]> {
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', path];
  const { stdout } = await run('ffprobe', args);
  return JSON.parse(stdout).streams;
}

const difference = (a: Uint8Array | undefined, b: Uint8Array | undefined): number => {
  if (!a || !b) return Number.POSITIVE_INFINITY;
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length;
};

/** The objects of a rendition of the whole recording, as one file that ffmpeg decodes. */
async function joined({ engine, stream, folder }: RecordedShow, rendition: string) {
  const { deps } = engine;
  const { value: state } = await deps.records.timeline(stream);
  const parts: Uint8Array[] = [];
  for await (const { entry } of clipEntries(deps, stream, state, {})) {
    const piece = entry.renditions[rendition];
    if (!piece) continue;
    if (parts.length === 0) parts.push((await deps.media.get(piece.initKey)) ?? assert.fail());
    parts.push((await deps.media.get(piece.key)) ?? assert.fail());
  }
  const path = join(folder, `${rendition}-joined.mp4`);
  await writeFile(path, Buffer.concat(parts));
  return path;
}

describe('the file of a clip', () => {
  const ends: (() => unknown)[] = [];
  const scope: Scope = { after: (end) => ends.unshift(end) };
  let show: RecordedShow;

  before(async () => {
    show = await recordShow(scope, LADDER);
    const [first, second] = [join(show.folder, 'first'), join(show.folder, 'second')];
    await Promise.all([mkdir(first), mkdir(second)]);
    const two = ['-map', '0:v', '-map', '1:a', '-map', '1:a', ...LANGUAGES];
    const media = [...flashAndBeep(String(RATE), 8), ...two, ...reorderedVideo(String(RATE))];
    await show.record(await cutSegments(first, media), [2]);
    // An encoder that comes back with a picture of another shape.
    const narrow = ['-filter:v', 'crop=300:180'];
    await show.record(await cutSegments(second, [...media, ...narrow]));
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('begins and ends with the very frames, and has all between them', async () => {
    const { path, bytes } = await show.file({ from: '0.5', to: '3.7' });
    const [video, english, german] = await probe(path);
    assert.deepEqual([video?.nb_frames, video?.nb_read_frames], ['96', '96']);
    assert.equal(Number(video?.duration), 3.2);
    for (const [track, language, isDefault] of [
      [english, 'eng', 1],
      [german, 'deu', 0],
    ] as const) {
      assert.equal(Number(track?.duration), 3.2);
      assert.equal(track?.tags?.language, language);
      assert.equal(track?.disposition.default, isDefault);
    }
    const [recorded, cut] = [await pictures(await joined(show, '180p')), await pictures(path)];
    assert.equal(cut.length, 96);
    for (const [index, picture] of cut.entries()) {
      const own = difference(picture, recorded[15 + index]);
      const others = [14, 16].map((at) => difference(picture, recorded[at + index]));
      assert.ok(own <= Math.min(...others) && own < 1.5, `${index}: ${own} ${others}`);
    }
    const boxes = [...boxesIn(bytes)].map(({ type }) => type);
    assert.deepEqual(boxes, ['ftyp', 'moov', 'mdat'], 'players begin before all is there');
  });

  test('copies what lies between the ends, byte for byte', async () => {
    const { bytes } = await show.file({ from: '0.5', to: '3.7' });
    const { deps } = show.engine;
    const entry = (await deps.records.entry(show.stream, 1)) ?? assert.fail();
    const whole = await show.file({ from: '0', to: '4' });
    const piece = (await deps.media.get(entry.renditions['180p']?.key ?? '')) ?? assert.fail();
    const media = Buffer.from(piece.subarray(piece.byteLength - 2000));
    assert.ok(Buffer.from(whole.bytes).includes(media));
    assert.ok(!Buffer.from(bytes).includes(media), 'the last segment is cut');
  });

  test('shows the frames that are copied as they are in the recording, and encodes those of a cut segment alone', async () => {
    const { path } = await show.file({ from: '0', to: '3.7' });
    const [recorded, cut] = [await pictures(await joined(show, '180p')), await pictures(path)];
    const differences = cut.map((picture, index) => difference(picture, recorded[index]));
    assert.equal(differences.length, 111);
    assert.deepEqual(new Set(differences.slice(0, 2 * RATE)), new Set([0]));
    const worst = Math.max(...differences.slice(2 * RATE));
    assert.ok(worst > 0 && worst < 1.5, String(worst));
  });

  test('has the sound of the recording to the sample', async () => {
    const { path } = await show.file({ from: '0.5', to: '3.7' });
    const recorded = await sound(await joined(show, 'audio'));
    const { deps } = show.engine;
    const first = (await deps.records.entry(show.stream, 0)) ?? assert.fail();
    const startTicks = first.renditions.audio?.startTicks ?? first.startTicks;
    const lead = Math.round(((first.startTicks - startTicks) * 48_000) / 90_000);
    for (const track of [0, 1]) {
      const cut = await sound(path, track);
      const offset = lead + 24_000;
      // The decoder needs a frame to begin with, and ffmpeg plays the last one to its end.
      const different = cut
        .subarray(1024, 153_600)
        .findIndex((sample, index) => sample !== recorded[offset + 1024 + index]);
      assert.equal(different, -1);
      assert.ok(cut.length >= 153_600 && cut.length < 153_600 + 1024, String(cut.length));
    }
  });

  test('leaves a gap out, goes on behind a discontinuity in one picture size, and keeps lips in step', async () => {
    const { path } = await show.file({ from: '1.2', to: '14.1' });
    const [video, , german] = await probe(path);
    // 0.8 s, 2 s, the gap of 2 s, 2 s; and 6.1 s of the next run.
    const seconds = 0.8 + 2 + 2 + 6.1;
    assert.equal(Number(video?.nb_read_frames), Math.round(seconds * RATE));
    assert.ok(Math.abs(Number(video?.duration) - seconds) < 0.001, video?.duration);
    assert.ok(Math.abs(Number(german?.duration) - seconds) < 0.001, german?.duration);
    const { flashes, beeps } = await decodeMoments(['-i', path]);
    const differences = lipSyncOf({ flashes, beeps });
    assert.ok(differences.length >= 9, JSON.stringify({ flashes, beeps }));
    for (const late of differences) assert.ok(Math.abs(late) < 0.01, JSON.stringify(differences));
  });

  test('has the captions of the span as tracks, cut at its ends', async () => {
    const { deps } = show.engine;
    const { key: before } = await show.file({ from: '0.5', to: '3.7' });
    const caption = async (track: CaptionTrack, cues: readonly CueInput[]) => {
      const put = await putCues(deps, show.stream, track, cues);
      const captions = cues.map(({ id }) => ({ track: put.track, set: `cue/${id}` }));
      await publishStream(deps, { videoId: 'show', uid: 'u1', captions });
    };
    await caption({ language: 'de' }, [
      { id: 'a', from: 0, to: 1, text: '<i>Guten</i> Tag &amp; so' },
      { id: 'b', from: 3, to: 9, text: 'Was geht\nhier vor?' },
      { id: 'late', from: 12, to: 13, text: 'behind the clip' },
    ]);
    await caption({ language: 'en', isForced: true }, [{ id: 'c', from: 1, to: 2, text: 'Sign' }]);
    await caption({ language: 'en', isSdh: true }, [{ id: 'd', from: 11, to: 12, text: '[rain]' }]);
    const { path, key } = await show.file({ from: '0.5', to: '3.7' });
    assert.notEqual(key, before);
    const [, , , ...tracks] = await probe(path);
    assert.deepEqual(
      tracks.map(({ codec_type, codec_name, tags, disposition, duration }) => ({
        ...{ codec_type, codec_name, language: tags?.language, title: tags?.handler_name },
        ...{ default: disposition.default, forced: disposition.forced, duration },
      })),
      [
        {
          ...{ codec_type: 'subtitle', codec_name: 'mov_text', language: 'deu', title: 'Deutsch' },
          ...{ default: 0, forced: 0, duration: '3.200000' },
        },
        {
          ...{ codec_type: 'subtitle', codec_name: 'mov_text', language: 'eng' },
          ...{ title: 'English', default: 0, forced: 1, duration: '3.200000' },
        },
      ],
    );
    const srt = await decode(['-i', path, '-map', '0:s:0', '-f', 'srt', '-']);
    // ffmpeg says the font of the track, too.
    assert.equal(
      srt.toString().replace(/<[^>]*>|\r/g, ''),
      `1
00:00:00,000 --> 00:00:00,500
Guten Tag & so

2
00:00:02,500 --> 00:00:03,200
Was geht
hier vor?

`,
    );
    await caption({ language: 'de' }, [{ id: 'late', from: 12, to: 13, text: 'elsewhere' }]);
    assert.equal((await show.file({ from: '0.5', to: '3.7' })).key, key, 'nothing of it changed');
    await caption({ language: 'de' }, [{ id: 'a', text: null }]);
    assert.notEqual((await show.file({ from: '0.5', to: '3.7' })).key, key);
  });

  test('of a whole recording has every frame once, when the stream has ended', async () => {
    await assert.rejects(show.file({}), { code: 'bad_request', message: /live/ });
    await show.end();
    const { path, key } = await show.file({});
    assert.match(key, /\/show-180p\.mp4$/);
    const [video, english] = await probe(path);
    const seconds = 3 * 2 + 4 * 2;
    assert.equal(Number(video?.nb_read_frames), seconds * RATE);
    assert.ok(Math.abs(Number(video?.duration) - seconds) < 0.001, video?.duration);
    assert.ok(Math.abs(Number(english?.duration) - seconds) < 0.001, english?.duration);
  });

  test('is the same when it is made again, and makes room when there are many', async () => {
    const { deps, workFolder } = show.engine;
    const first = await show.file({ from: '0', to: '2' });
    const others = Array.from({ length: 98 }, (_, index) => `media/show/u1/saved/a/${index}.mp4`);
    const removed: (readonly string[])[] = [];
    const media = {
      ...{ list: async () => [first.key, ...others, 'media/show/u1/saved/a/last.mp4'] },
      ...{ get: deps.media.get.bind(deps.media), put: deps.media.put.bind(deps.media) },
      ...{ head: async () => undefined, presignPut: deps.media.presignPut.bind(deps.media) },
      putFile: deps.media.putFile.bind(deps.media),
      multipart: deps.media.multipart,
      async delete(keys: readonly string[]) {
        removed.push(keys);
        await deps.media.delete(keys.filter((key) => key === first.key));
      },
    };
    const job = { kind: 'clip', videoId: 'show', uid: 'u1', key: first.key, resolution: '180p' };
    const bounds = { from: { offsetTicks: 0 }, to: { offsetTicks: 180_000 } };
    // Of the captions: the removal of a cue there was the seventh change.
    const span = { ...bounds, captionsVersion: 7 };
    const context = { workFolder, signal: new AbortController().signal };
    await JOBS.run({ ...deps, media }, JSON.stringify({ ...job, ...span }), context);
    assert.deepEqual(
      removed.map(({ length }) => length),
      [100],
    );
    const again = (await deps.media.get(first.key)) ?? assert.fail();
    assert.ok(Buffer.from(first.bytes).equals(again));
    assert.deepEqual(await readdir(workFolder), [], 'nothing is left behind');
  });
});
