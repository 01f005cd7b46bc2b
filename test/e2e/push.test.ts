import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamView } from '../../lib/api/messages.ts';
import { parseMediaWithHls, parseMultivariantWithHls } from '../playlist/parse-with-hls.ts';
import { encode, lavfi, probe, startFfmpeg } from '../support/ffmpeg.ts';
import { startTestSystem, type TestSystem, waitFor } from '../support/system.ts';

const SMALL_LADDER = [
  { name: '180p', shortSidePx: 180, maxrateBps: 600_000 },
  { name: '90p', shortSidePx: 90, maxrateBps: 200_000 },
];

async function createStream(
  system: TestSystem,
  id: string,
  settings: object = {},
): Promise<string> {
  const answer = await system.fetch(`/streams/${id}`, {
    method: 'PUT',
    body: JSON.stringify({ ladder: SMALL_LADDER, ...settings }),
  });
  assert.equal(answer.status, 201);
  return ((await answer.json()) as { uploadKey: string }).uploadKey;
}

const stateOf = async (system: TestSystem, id: string): Promise<StreamView | undefined> => {
  const answer = await system.fetch(`/viewstream/metadata/${id}?format=json`, { key: null });
  return answer.ok ? ((await answer.json()) as StreamView) : undefined;
};

const ended = (system: TestSystem, id: string): Promise<StreamView> =>
  waitFor('the end of the stream', async () => {
    const state = await stateOf(system, id);
    return state?.state === 'ended' ? state : undefined;
  });

/** The encoder has time to come back after the end of its playlist; a call ends the stream at once. */
async function endNow(system: TestSystem, id: string): Promise<StreamView> {
  const state = await ended(system, id);
  const answer = await system.fetch(`/upload/${id}/end`, { method: 'POST' });
  assert.equal(answer.status, 200);
  await waitFor('the recording', async () => {
    const multivariant = await fetch(`${system.url}${state.hls}`);
    return (await multivariant.text()).includes('?view=vod');
  });
  return state;
}

/** Unmodified ffmpeg in real time or as fast as it can, with the key in the URL. */
async function push(
  t: TestContext,
  system: TestSystem,
  id: string,
  key: string,
  args: readonly string[],
): Promise<void> {
  const url = `${system.url.replace('://', `://x:${key}@`)}/upload/${id}/live.m3u8`;
  const child = startFfmpeg(t, [...args, '-f', 'hls', '-method', 'PUT', url]);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, system.output());
}

describe('unmodified ffmpeg', () => {
  for (const [type, options] of [
    ['mpegts', []],
    ['fmp4', ['-hls_segment_type', 'fmp4']],
  ] as const) {
    test(`pushes ${type} segments; every player reads back each frame`, async (t) => {
      const system = await startTestSystem(t);
      const key = await createStream(system, type);
      const source = [...lavfi('320x180', 30), '-t', '12', ...encode(60), '-hls_time', '2'];
      await push(t, system, type, key, [...source, ...options]);
      const state = await endNow(system, type);
      assert.equal(Math.round(state.durationSeconds), 12);
      const multivariantUrl = `${system.url}${state.hls}`;
      const multivariant = await (await fetch(multivariantUrl)).text();
      const { variants, audio } = parseMultivariantWithHls(multivariant);
      assert.deepEqual(
        variants.map((variant) => [variant.widthPx, variant.heightPx]),
        [
          [320, 180],
          [160, 90],
        ],
      );
      assert.equal(audio.length, 1);
      const streams = await probe(multivariantUrl);
      const frames = streams
        .filter((stream) => stream.codec_type === 'video')
        .map((stream) => stream.nb_read_frames);
      assert.deepEqual(frames, ['360', '360']);
      const playlistUrl = new URL(`${type}/180p.m3u8?view=vod`, multivariantUrl);
      const answer = await fetch(playlistUrl, { headers: { 'accept-encoding': 'gzip' } });
      assert.equal(answer.headers.get('content-type'), 'application/vnd.apple.mpegurl');
      assert.equal(answer.headers.get('content-encoding'), 'gzip');
      const etag = answer.headers.get('etag') ?? assert.fail('no etag');
      const known = await fetch(playlistUrl, { headers: { 'if-none-match': etag } });
      assert.equal(known.status, 304);
      assert.match(answer.headers.get('cache-control') ?? '', /^public, max-age=\d+$/);
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
      const playlist = parseMediaWithHls(await answer.text());
      assert.equal(playlist.segments.length, 6);
      assert.equal(new Set(playlist.segments.map((segment) => segment.mapUri)).size, 1);
      const [first] = playlist.segments;
      const media = await fetch(new URL(first?.uri ?? '', multivariantUrl));
      assert.match(media.headers.get('cache-control') ?? '', /immutable/);
      await assertJoinedFile(system, type);
    });
  }

  test('pushes two variants to one address; the better one is the stream', async (t) => {
    const system = await startTestSystem(t);
    const key = await createStream(system, 'variants');
    const url = `${system.url.replace('://', `://x:${key}@`)}/upload/variants`;
    const args = [
      ...lavfi('320x180', 30),
      ...['-t', '6', '-map', '0:v', '-map', '1:a', '-map', '0:v', '-map', '1:a'],
      ...['-s:v:0', '160x90', ...encode(60), '-f', 'hls', '-hls_time', '2', '-method', 'PUT'],
      ...['-var_stream_map', 'v:0,a:0 v:1,a:1', '-master_pl_name', 'master.m3u8'],
      ...['-hls_segment_filename', `${url}/v%v/segment%d.ts`, `${url}/v%v/live.m3u8`],
    ];
    const [code] = await once(startFfmpeg(t, args), 'exit');
    assert.equal(code, 0, system.output());
    const state = await endNow(system, 'variants');
    assert.equal(Math.round(state.durationSeconds), 6);
    assert.deepEqual(
      state.renditions.filter(({ kind }) => kind === 'video').map(({ name }) => name),
      ['180p', '90p'],
    );
    const answer = await fetch(`${system.url}/viewstream/metadata/variants/180p.m3u8?view=vod`);
    const { segments } = parseMediaWithHls(await answer.text());
    assert.equal(segments.filter(({ gap }) => gap).length, 0);
    const streams = await probe(`${system.url}${state.hls}`);
    const video = streams.filter((stream) => stream.codec_type === 'video');
    assert.deepEqual(
      video.map((stream) => stream.nb_read_frames),
      ['180', '180'],
    );
  });

  test('is told 401 without a key, and nothing is taken', async (t) => {
    const system = await startTestSystem(t);
    await createStream(system, 'locked');
    const args = [...lavfi(), '-t', '2', ...encode(30), '-hls_time', '1', '-f', 'hls'];
    const target = `${system.url}/upload/locked/live.m3u8`;
    const child = startFfmpeg(t, [...args, '-method', 'PUT', target]);
    await once(child, 'exit');
    assert.equal((await stateOf(system, 'locked'))?.state, 'created');
  });

  test('continues the stream behind a discontinuity when it is started anew', async (t) => {
    const system = await startTestSystem(t);
    const key = await createStream(system, 'again', { idleTimeoutSeconds: null });
    const source = (toneHz: number): string[] => [
      ...lavfi('320x180', 30, toneHz),
      ...['-t', '4', ...encode(60), '-hls_time', '2'],
    ];
    await push(t, system, 'again', key, source(440));
    await ended(system, 'again');
    // Also with the same file, as in a loop.
    await push(t, system, 'again', key, source(440));
    await push(t, system, 'again', key, source(550));
    const isWhole = async () => {
      const now = await stateOf(system, 'again');
      return now && now.state === 'ended' && now.durationSeconds > 11 ? now : undefined;
    };
    const state = await waitFor('all runs', isWhole, 150_000);
    assert.equal(Math.round(state.durationSeconds), 12);
    const answer = await fetch(`${system.url}/viewstream/metadata/again/180p.m3u8?view=vod`);
    const { segments } = parseMediaWithHls(await answer.text());
    assert.deepEqual(
      segments.map((segment) => segment.discontinuitySequence),
      [0, 0, 1, 1, 2, 2],
    );
  });
});

/** One moment as a file of its own, in each format and resolution, as mediainfo sees it. */
async function assertJoinedFile(system: TestSystem, id: string): Promise<void> {
  for (const [query, format, height] of [
    ['timestamp=3&resolution=90p', 'MPEG-4', '90'],
    ['timestamp=3&resolution=180p&format=ts', 'MPEG-TS', '180'],
    ['timestamp=3&resolution=source', 'MPEG-4', '180'],
  ] as const) {
    const answer = await fetch(`${system.url}/viewstream/${id}?${query}`);
    assert.equal(answer.status, 200, query);
    const { stdout } = await promisify(execFile)('mediainfo', ['--Output=JSON', answer.url]).catch(
      () => ({ stdout: '{}' }),
    );
    const tracks = (JSON.parse(stdout) as { media?: { track: Record<string, string>[] } }).media
      ?.track;
    const [general, video] = [
      tracks?.find((track) => track['@type'] === 'General'),
      tracks?.find((track) => track['@type'] === 'Video'),
    ];
    assert.equal(general?.Format, format, query);
    assert.equal(video?.Height, height, query);
    assert.equal(general?.AudioCount, '1', query);
  }
}
