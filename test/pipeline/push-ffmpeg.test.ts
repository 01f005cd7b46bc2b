import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { before, describe, test } from 'node:test';
import { withTrack } from '../../lib/domain/languages/language-track.ts';
import type { SourceSegment } from '../../lib/domain/segment.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { encode, ffmpeg, lavfi, startFfmpeg } from '../support/ffmpeg.ts';
import { MEDIA_THREADS } from '../support/media-threads.ts';
import { clip } from '../support/push.ts';
import { startPushGateway } from '../support/push-gateway.ts';
import { waitFor } from '../support/system.ts';

const SECONDS = 5;

// ffmpeg sends all at once and nothing again: the threads that read its first files are to be there.
before(async () => {
  const [first = assert.fail()] = await clip();
  await MEDIA_THREADS.inspection.run('inspectSegment', 'warm', [first, undefined]);
});

/** Five seconds with a keyframe each second. */
const SOURCE = [...lavfi('64x36', 10), '-t', String(SECONDS), ...encode(10)];

type Target = Readonly<{ folder: string }>;

type Options = Readonly<{ isPaced?: boolean }>;

async function pushed(
  t: TestContext,
  args: (target: Target) => readonly string[],
  { isPaced = false }: Options = {},
) {
  const gateway = await startPushGateway(t);
  const folder = gateway.folderOf('show');
  const pace = isPaced ? ['-re'] : [];
  const encoder = startFfmpeg(t, [...pace, ...SOURCE, ...args({ folder })]);
  const [code] = await once(encoder, 'exit');
  return { ...gateway, code, folder };
}

const spanSeconds = (segments: readonly SourceSegment[]): number =>
  segments.reduce(
    (sum, { facts: { startTicks, endTicks } }) => sum + (endTicks - startTicks) / TICKS_PER_SECOND,
    0,
  );

const hls = ({ folder }: Target, ...options: readonly string[]) => [
  ...['-f', 'hls', '-method', 'PUT', '-hls_time', '1', ...options, `${folder}/live.m3u8`],
];

const named = (target: Target, names: string, ...options: readonly string[]) =>
  hls(target, ...options, '-hls_segment_filename', `${target.folder}/${names}`);

test('ffmpeg pushes sound alone as a language, which is placed by the clock of its playlist', async (t) => {
  const headers = ['-headers', 'rivulet-kind: audio\r\nrivulet-lang: fre\r\n'];
  const flags = ['-hls_flags', 'program_date_time'];
  const { records, code, answers } = await pushed(t, (to) => [
    '-vn',
    ...hls(to, ...headers, ...flags),
  ]);
  assert.equal(code, 0);
  const { value: stream } = (await records.findStream('show')) ?? assert.fail();
  const french = withTrack(stream, 'audio-fr');
  // ffmpeg does not wait for the answers to its last files.
  await waitFor('all segments and their clock', async () => {
    const hint = await records.segmentHint(french, 1, 0);
    const run = await records.getRun(french, 1);
    const numbers = await records.numbersFrom(french, 1, 0, 10);
    return numbers.length >= SECONDS && run && run.anchorMs === hint?.programDateTimeMs;
  });
  assert.ok(answers.every(({ status }) => status < 300));
  assert.deepEqual(stream.languages, [{ name: 'audio-fr', language: 'fr' }]);
  assert.deepEqual(await records.runs(stream), []);
  assert.equal((await records.runs(french)).length, 1);
  assert.deepEqual(await records.numbersFrom(french, 1, 0, 5), [0, 1, 2, 3, 4]);
});

describe('ffmpeg that pushes with', { concurrency: 2 }, () => {
  const FLAGS: Readonly<Record<string, (target: Target) => readonly string[]>> = {
    append_list: (to) => hls(to, '-hls_flags', 'append_list'),
    'delete_segments and a short list': (to) =>
      hls(to, '-hls_flags', 'delete_segments', '-hls_list_size', '2', '-hls_delete_threshold', '1'),
    temp_file: (to) => hls(to, '-hls_flags', 'temp_file'),
    'a list of all': (to) => hls(to, '-hls_list_size', '0'),
    split_by_time: (to) => hls(to, '-hls_flags', 'split_by_time'),
    hls_init_time: (to) => hls(to, '-hls_init_time', '1', '-hls_time', '2'),
    'program_date_time and discont_start': (to) =>
      hls(to, '-hls_flags', 'program_date_time+discont_start+independent_segments'),
    'names of five digits': (to) => named(to, 'live-%05d.ts', '-start_number', '99998'),
    'three digits that run over': (to) => named(to, 'live-%03d.ts', '-start_number', '997'),
    'names that are used in turn': (to) => named(to, 'live%d.ts', '-start_number', '8'),
    'numbers from an epoch': (to) => hls(to, '-hls_start_number_source', 'epoch'),
    'numbers from an epoch in microseconds': (to) =>
      hls(to, '-hls_start_number_source', 'epoch_us'),
    'numbers from the date': (to) => hls(to, '-hls_start_number_source', 'datetime'),
    'names by date, a number behind': (to) =>
      named(to, '%Y-%m-%d_%H-%M-%S-%%04d.ts', ...LEVEL2, 'second_level_segment_index'),
    'names by Unix time, a number behind': (to) =>
      named(to, '%s_%%d.ts', ...LEVEL2, 'second_level_segment_index'),
    'names with a space and other letters': (to) => named(to, 'прямой эфир %d.ts'),
    'names that are percent-encoded': (to) => named(to, 'live%%20%d.ts'),
    'names with a query': (to) => named(to, 'live%d.ts?token=a&part=7'),
    folders: (to) => named(to, 'hd/1080p/live%d.ts'),
    'a rate and a size in the name': (to) => named(to, 'live_1920x1080_5000k_%d_h264.ts'),
    'a base address': (to) => hls(to, '-hls_base_url', 'https://cdn.example/a/b/'),
    POST: (to) => ['-f', 'hls', '-method', 'POST', '-hls_time', '1', `${to.folder}/live.m3u8`],
    'one connection': (to) => hls(to, '-http_persistent', '1'),
    fMP4: (to) => hls(to, '-hls_segment_type', 'fmp4'),
    'fMP4 and an init segment of another name': (to) =>
      hls(to, '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'header 1.mp4'),
    'fMP4 and an init segment that is sent again': (to) =>
      hls(to, '-hls_segment_type', 'fmp4', '-hls_fmp4_init_resend', '1'),
    'fMP4 in chunks': (to) =>
      hls(
        to,
        '-hls_segment_type',
        'fmp4',
        '-hls_segment_options',
        'movflags=+frag_keyframe+delay_moov',
      ),
    'its stream segmenter': ({ folder }) => [
      ...['-f', 'stream_segment', '-segment_format', 'mpegts', '-segment_time', '1'],
      ...['-segment_list', `${folder}/live.m3u8`, '-method', 'PUT', `${folder}/seg%03d.ts`],
    ],
  };
  for (const [what, args] of Object.entries(FLAGS)) {
    test(`${what}: all is taken, once and in order, and the end is noted`, async (t) => {
      // ffmpeg leaves answers unread on it: when it ends, the system resets the connection, with what the
      // server has not read yet. As from a camera that is little; all at once it may be segments.
      const isPaced = what === 'one connection';
      const { code, answers, faults, runsOf, endOf } = await pushed(t, args, { isPaced });
      assert.equal(code, 0);
      assert.deepEqual(faults, []);
      const refused = answers.filter(({ status }) => status >= 400);
      assert.deepEqual(refused, []);
      const runs = await waitFor('all of it', async () => {
        const found = await runsOf('show');
        return spanSeconds(found.flat()) > SECONDS - 0.15 && found;
      });
      const numbers = runs.map((run) => run.map(({ number, name }) => `${name} ${number}`));
      assert.equal(runs.length, 1, JSON.stringify(numbers));
      const [segments = []] = runs;
      assert.ok(Math.abs(spanSeconds(segments) - SECONDS) < 0.15, `${spanSeconds(segments)} s`);
      const starts = segments.map(({ facts }) => facts.startTicks);
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      );
      await waitFor('the end', async () => {
        const end = await endOf('show');
        return end?.number === segments.at(-1)?.number;
      });
    });
  }
});

const LEVEL2 = ['-strftime', '1', '-strftime_mkdir', '0', '-hls_flags'];

describe('ffmpeg that pushes', () => {
  test('without the end of its list leaves the stream open', async (t) => {
    const { answers, faults, runsOf, endOf } = await pushed(t, (to) =>
      hls(to, '-hls_flags', 'omit_endlist'),
    );
    assert.deepEqual([faults, answers.filter(({ status }) => status >= 400)], [[], []]);
    await waitFor('all of it', async () => (await runsOf('show')).flat().length === SECONDS);
    assert.equal(await endOf('show'), undefined);
  });

  test('one file in byte ranges is one segment', async (t) => {
    const { answers, faults, runsOf } = await pushed(t, (to) =>
      hls(to, '-hls_flags', 'single_file', '-hls_list_size', '0'),
    );
    assert.deepEqual([faults, answers.filter(({ status }) => status >= 500)], [[], []]);
    const segments = (await runsOf('show')).flat();
    assert.ok(spanSeconds(segments) <= SECONDS + 0.15, `${spanSeconds(segments)} s`);
  });

  test('encrypted segments is told that they are', async (t) => {
    const { answers, faults, records } = await pushed(t, (to) =>
      hls(to, '-hls_enc', '1', '-hls_enc_key', '0123456789abcdef0123456789abcdef'),
    );
    assert.deepEqual(faults, []);
    assert.ok(answers.every(({ status }) => status === 415));
    const playlist = answers.find(({ name }) => name === 'live.m3u8')?.body ?? assert.fail();
    assert.match(playlist, /encrypted \(EXT-X-KEY, METHOD=AES-128\)/);
    const segment = answers.find(({ name }) => name.endsWith('.ts'))?.body ?? assert.fail();
    assert.match(segment, /[Ee]ncrypt/);
    assert.equal(await records.findStream('show'), undefined);
  });

  test('picture and sound in files apart is told that the sound is not used', async (t) => {
    const { answers, faults } = await pushed(t, ({ folder }) => [
      ...['-f', 'hls', '-method', 'PUT', '-hls_time', '1', '-master_pl_name', 'master.m3u8'],
      ...['-var_stream_map', 'v:0,agroup:a a:0,agroup:a'],
      ...['-hls_segment_filename', `${folder}/s%v_%d.ts`, `${folder}/s%v.m3u8`],
    ]);
    assert.deepEqual([faults, answers.filter(({ status }) => status >= 400)], [[], []]);
    assert.ok(answers.some(({ body }) => /holds sound alone and is not used/.test(body)));
  });

  test('DASH is told to push HLS', async (t) => {
    const { answers, faults } = await pushed(t, ({ folder }) => [
      ...['-f', 'dash', '-method', 'PUT', '-seg_duration', '1', `${folder}/manifest.mpd`],
    ]);
    assert.deepEqual(faults, []);
    const manifest = answers.find(({ name }) => name === 'manifest.mpd') ?? assert.fail();
    assert.equal(manifest.status, 415);
    assert.match(manifest.body, /DASH manifest.*Push HLS/s);
  });

  test('again after its end, and then other bytes, keeps each second once in its run', async (t) => {
    const { folder, faults, runsOf } = await pushed(t, (to) => hls(to));
    await ffmpeg([...lavfi('64x36', 10, 550), '-t', '2', ...encode(10), ...hls({ folder })]);
    assert.deepEqual(faults, []);
    const runs = await waitFor('both runs', async () => {
      const found = await runsOf('show');
      return found.length === 2 && spanSeconds(found[1] ?? []) > 1.8 && found;
    });
    assert.ok(Math.abs(spanSeconds(runs[0] ?? []) - SECONDS) < 0.15);
  });
});
