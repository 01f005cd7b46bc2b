/**
 * The whole system as it is deployed: functions behind the HTTP API and the CDN, a worker from its
 * image's bundle, on an emulator of AWS that takes nothing but TLS and holds each role to its permissions.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { stageDeployedHere } from '../../bin/deploy/deployments.ts';
import type { PresignedUpload, Receipt, StreamView } from '../../lib/api/messages.ts';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { S3MediaStore } from '../../lib/aws/s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import { type DeployedWorker, type Deployment, deploy, startWorker } from '../aws/deployment.ts';
import { type MiniStack, withMiniStack } from '../aws/ministack.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { encode, lavfi, probe, startFfmpeg } from '../support/ffmpeg.ts';
import { makeSegments } from '../support/media.ts';
import { type Scope, startTestSystem, waitFor } from '../support/system.ts';

const LADDER = [
  { name: '180p', shortSidePx: 180, maxrateBps: 600_000 },
  { name: '90p', shortSidePx: 90, maxrateBps: 200_000 },
];

const createStream = async ({ api }: Deployment, id: string, settings: object = {}) => {
  const body = JSON.stringify({ ladder: LADDER, targetDurationSeconds: 2, ...settings });
  const answer = await api(`/streams/${id}`, { method: 'PUT', body });
  assert.equal(answer.status, 201, answer.text);
};

const stateOf = async ({ cdn }: Deployment, id: string) =>
  (await cdn(`/viewstream/metadata/${id}?format=json`)).json() as StreamView;

const playlistOf = async ({ cdn }: Deployment, id: string, rendition = '180p') => {
  const answer = await cdn(`/viewstream/metadata/${id}/${rendition}.m3u8`);
  return answer.status === 200 ? parseMediaWithHls(answer.text) : undefined;
};

/** How many segments are listed, and which of them are gaps. */
const listed = (deployment: Deployment, id: string, count: number) =>
  waitFor(
    `${count} segments of ${id}`,
    async () => {
      const playlist = await playlistOf(deployment, id);
      return playlist?.segments.length === count && playlist;
    },
    90_000,
  );

const uploadTo =
  ({ api }: Deployment, id: string) =>
  (number: number, body: Uint8Array) =>
    api(`/upload/${id}?segment=${number}`, { method: 'POST', body });

function pushWithFfmpeg(t: TestContext, deployment: Deployment, id: string, seconds: number) {
  const { apiUrl, ownerKey } = deployment;
  return startFfmpeg(t, [
    ...['-re', ...lavfi('320x180', 30), '-t', String(seconds), ...encode(60)],
    ...['-f', 'hls', '-hls_time', '2', '-method', 'PUT', '-http_persistent', '1'],
    ...['-headers', `Authorization: Bearer ${ownerKey}`, `${apiUrl}/upload/${id}/live.m3u8`],
  ]);
}

await withMiniStack(register, { guarded: true });

function register(stack: MiniStack): void {
  describe('a deployed stage', () => {
    const scope: Scope & { end(): Promise<void> } = scopeOf();
    const timings: [string, number][] = [];
    let deployment: Deployment;
    let worker: DeployedWorker;
    before(
      async () => {
        deployment = await deploy(stack, ['core', 'edge'], (what, timeMs) =>
          timings.push([what, timeMs]),
        );
        worker = await startWorker(scope, deployment);
      },
      { timeout: 600_000 },
    );
    after(async () => {
      await scope.end();
      for (const [what, timeMs] of timings) console.log(`${what}: ${Math.round(timeMs)} ms`);
    });

    test('is ready', async () => {
      await waitFor('health', async () => (await deployment.cdn('/healthz')).status === 200);
    });

    test('asks encoders and owners for their key, by the CDN as well', async () => {
      await createStream(deployment, 'locked');
      const upload = { method: 'POST', headers: { authorization: 'Bearer nobody' }, body: 'x' };
      assert.equal((await deployment.api('/upload/locked?segment=0', upload)).status, 403);
      assert.deepEqual(
        await (await deployment.cdn('/streams')).json(),
        { streams: [] },
        'none is listed',
      );
      assert.equal((await deployment.cdn('/streams/show')).status, 401);
      const { ownerKey } = deployment;
      const listed = await deployment.cdn('/streams', {
        headers: { authorization: `Bearer ${ownerKey}` },
      });
      assert.equal(listed.status, 200);
    });

    test('takes the push of an unmodified ffmpeg; browser and ffmpeg watch by the CDN', {
      skip: withoutChromium(),
      timeout: 300_000,
    }, async (t) => {
      await createStream(deployment, 'show', { title: 'The show' });
      const { cdnHost, stack: emulator } = deployment;
      const { host } = new URL(emulator.connection.endpoint);
      const browser = await launchChromium([`--host-resolver-rules=MAP ${cdnHost}:443 ${host}`]);
      t.after(() => browser.close());
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`https://${cdnHost}/watch/show`);
      const view = page.locator('section.watch');
      const becomes = (name: string, expected: RegExp) =>
        waitFor(
          `data-${name} ${expected}`,
          async () => expected.test((await view.getAttribute(`data-${name}`)) ?? ''),
          60_000,
        );
      await becomes('state', /waiting/);
      // Longer than a slow machine takes to show the first picture.
      const ffmpeg = pushWithFfmpeg(t, deployment, 'show', 30);
      const exited = once(ffmpeg, 'exit');
      await becomes('state', /^live$/);
      const timeNow = () =>
        page.locator('video').evaluate((video: unknown) => (video as Video).currentTime);
      const startTime = await timeNow();
      await waitFor('the picture to move', async () => (await timeNow()) > startTime + 2);
      assert.equal((await exited)[0], 0);
      // ffmpeg leaves without waiting for the answers to its last segment and playlist; the emulator
      // then drops what it was at.
      assert.equal((await deployment.api('/upload/show/end', { method: 'POST' })).status, 200);
      await becomes('ended', /true/);
      assert.deepEqual(complaints, []);

      const vod = await deployment.cdn('/viewstream/metadata/show/180p.m3u8?view=vod');
      assert.match(vod.text, /#EXT-X-PLAYLIST-TYPE:VOD\n/);
      assert.match(vod.text, /#EXT-X-ENDLIST\n$/);
      const { length } = parseMediaWithHls(vod.text).segments;
      assert.ok(length === 14 || length === 15, vod.text);
      const state = await stateOf(deployment, 'show');
      assert.deepEqual([state.state, Math.round(state.durationSeconds)], ['ended', 2 * length]);
      const streams = await probe(`${emulator.connection.endpoint}${state.hls}`, [
        ...['-headers', `Host: ${cdnHost}\r\n`],
      ]);
      const frames = streams
        .filter(({ codec_type }) => codec_type === 'video')
        .map(({ nb_read_frames }) => nb_read_frames);
      assert.deepEqual(frames, [String(60 * length), String(60 * length)]);
    });

    test('says of a segment at each hop how long it took', async () => {
      await createStream(deployment, 'hops');
      const upload = uploadTo(deployment, 'hops');
      const { segments } = await makeSegments({ seconds: 12, rate: '30', size: '320x180' });
      for (const [number, { bytes }] of segments.entries()) {
        const startedAtMs = performance.now();
        const answer = await upload(number, bytes);
        const uploadedAtMs = performance.now();
        assert.equal(answer.status, 201, answer.text);
        await listed(deployment, 'hops', number + 1);
        const entry = worker
          .entries()
          .find((one) => one.videoId === 'hops' && one.number === number);
        assert.ok(entry);
        timings.push([`segment ${number}: upload`, uploadedAtMs - startedAtMs]);
        timings.push([`segment ${number}: job`, Number(entry.timeMs)]);
        timings.push([
          `segment ${number}: acknowledged to listed`,
          performance.now() - uploadedAtMs,
        ]);
      }
    });

    test('serves media that may be kept for ever, and misses that may not', async () => {
      await createStream(deployment, 'kept');
      const { segments } = await makeSegments({ seconds: 2, size: '320x180' });
      await uploadTo(deployment, 'kept')(0, segments[0]?.bytes ?? Buffer.of());
      const { segments: entries } = await listed(deployment, 'kept', 1);
      const path = entries[0]?.uri ?? '';
      const found = await deployment.cdn(path, {
        headers: { origin: 'https://elsewhere.example' },
      });
      assert.equal(found.status, 200);
      assert.equal(found.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(found.headers.get('access-control-allow-origin'), '*');
      const part = await deployment.cdn(path, { headers: { range: 'bytes=4-7' } });
      assert.deepEqual([part.status, part.text], [206, 'moof']);
      const missing = await deployment.cdn(path.replace('.m4s', '0.m4s'));
      assert.equal(missing.status, 403);
      assert.equal(missing.headers.get('cache-control'), null);
      const source = await deployment.cdn(`/source/kept/0.ts`);
      assert.notEqual(source.status, 200, 'the CDN serves nothing but media');
    });

    test('counts an upload that comes twice, or eight times at once, once', async () => {
      await createStream(deployment, 'twice');
      const { segments } = await makeSegments({ seconds: 4, size: '320x180' });
      const [first, second] = segments.map(({ bytes }) => bytes);
      assert.ok(first && second);
      const upload = uploadTo(deployment, 'twice');
      const answers = await Promise.all(Array.from({ length: 8 }, () => upload(0, first)));
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted(),
        [200, 200, 200, 200, 200, 200, 200, 201],
      );
      const digests = answers.map((answer) => (answer.json() as Receipt).digest);
      assert.deepEqual([...new Set(digests)], [createHash('sha256').update(first).digest('hex')]);
      const other = await upload(0, second);
      assert.equal(other.status, 409, other.text);
      assert.equal((await upload(1, second)).status, 201);
      await listed(deployment, 'twice', 2);
      assert.equal((await stateOf(deployment, 'twice')).durationSeconds, 4);
    });

    test('takes by a presigned upload what is too large for a body', async () => {
      await createStream(deployment, 'large');
      const { segments } = await makeSegments({
        seconds: 2,
        size: '1920x1080',
        videoArgs: ['-qp', '0'],
      });
      const bytes = segments[0]?.bytes ?? Buffer.of();
      assert.ok(bytes.byteLength > 4_500_000, String(bytes.byteLength));
      const digest = createHash('sha256').update(bytes).digest('hex');
      const query = `segment=0&size=${bytes.byteLength}&digest=${digest}`;
      const asked = await deployment.api(`/upload/large?${query}`, { method: 'POST' });
      assert.equal(asked.status, 202, asked.text);
      const { upload } = asked.json() as PresignedUpload;
      const put = await fetch(upload.url, {
        method: 'PUT',
        headers: upload.headers,
        body: Buffer.from(bytes),
      });
      assert.equal(put.status, 200, await put.text());
      const receipt = await waitFor('the receipt', async () => {
        const again = await deployment.api(`/upload/large?${query}`, { method: 'POST' });
        return again.status === 200 && (again.json() as Receipt);
      });
      assert.equal(receipt.digest, digest);
      await listed(deployment, 'large', 1);
    });

    test('lists a gap for a segment that no worker can decode, and queues a lost job again', {
      timeout: 180_000,
    }, async () => {
      await worker.stop();
      await Promise.all([createStream(deployment, 'poison'), createStream(deployment, 'lost')]);
      const { segments } = await makeSegments({ seconds: 6, size: '320x180' });
      for (const [number, { bytes }] of segments.entries()) {
        assert.equal((await uploadTo(deployment, 'lost')(number, bytes)).status, 201);
      }
      const { connection } = stack;
      const clock = { now: () => Date.now() };
      const client = sqsClient(connection);
      const { engine } = stageDeployedHere(deployment.stage) ?? assert.fail('no stage');
      const url = engine.RIVULET_LIVE_JOBS_QUEUE;
      const queue = new SqsWorkQueue({ url, client, clock, groups: 'fair' });
      const jobs = await queue.receive({ max: 10, waitMs: 5_000, leaseMs: 60_000 });
      const taken: number[] = [];
      for (const { receipt, body } of jobs) {
        const { videoId, number } = JSON.parse(body);
        if (videoId === 'lost') taken.push(number);
        if (videoId === 'lost' && number === 1) await queue.acknowledge([receipt]);
        else await queue.release(receipt, 0);
      }
      assert.deepEqual(taken.toSorted(), [0, 1, 2]);
      client.destroy();

      for (const [number, { bytes }] of segments.entries()) {
        assert.equal((await uploadTo(deployment, 'poison')(number, bytes)).status, 201);
      }
      const bucket = engine.RIVULET_BUCKET;
      const store = new S3MediaStore(connection, { bucket, clock });
      const sources = await store.list('source/poison/');
      assert.equal(sources.length, 3);
      await store.delete(sources.slice(1, 2));
      store.close();
      worker = await startWorker(scope, deployment);
      const [withGap, complete] = await Promise.all([
        listed(deployment, 'poison', 3),
        listed(deployment, 'lost', 3),
      ]);
      assert.deepEqual(
        withGap.segments.map(({ gap }) => gap),
        [false, true, false],
      );
      assert.deepEqual(
        complete.segments.map(({ gap }) => gap),
        [false, false, false],
      );
      // By way of the dead letters: a worker itself fails with the reason that it found.
      const table = new DynamoRecordStore(connection, engine.RIVULET_TABLE);
      const records = new StreamRecords(table);
      const stream = await records.findStream('poison');
      const outcome = stream && (await records.findOutcome(stream.value, 1, 1));
      table.close();
      assert.ok(outcome?.type === 'failed');
      assert.equal(outcome.reason, 'every attempt failed');
    });

    test('is served from this machine as well, with workers that come when they are needed', {
      timeout: 300_000,
    }, async (t) => {
      await worker.stop();
      const { stage } = deployment;
      const system = await startTestSystem(t, {
        args: ['--aws', '--stage', stage],
        ownerKey: deployment.ownerKey,
        // It reads the key where the deployment keeps it.
        env: { ...stack.env, RIVULET_OWNER_KEY: '' },
      });
      assert.equal((await system.fetch('/healthz')).status, 200);
      const body = JSON.stringify({ ladder: LADDER });
      assert.equal((await system.fetch('/streams/here', { method: 'PUT', body })).status, 201);
      const { segments } = await makeSegments({ seconds: 4, size: '320x180' });
      for (const [number, { bytes }] of segments.entries()) {
        const upload = { method: 'POST', body: Buffer.from(bytes) };
        assert.equal((await system.fetch(`/upload/here?segment=${number}`, upload)).status, 201);
      }
      const playlist = await listed(deployment, 'here', 2);
      assert.equal((await fetch(`${system.url}/`)).status, 200);
      const media = await fetch(`${system.url}${playlist.segments[1]?.uri}`, {
        headers: { range: 'bytes=4-7' },
      });
      assert.deepEqual([media.status, await media.text()], [206, 'moof']);
      assert.equal((await system.fetch('/upload/here/end', { method: 'POST' })).status, 200);
      await waitFor('the end', async () => (await stateOf(deployment, 'here')).state === 'ended');
      const streams = await probe(`${system.url}/viewstream/metadata/here`);
      assert.deepEqual(
        streams.flatMap((stream) => (stream.codec_type === 'video' ? stream.nb_read_frames : [])),
        ['120', '120'],
      );
      const { code } = await system.kill('SIGTERM');
      assert.equal(code, 0, system.output());
      worker = await startWorker(scope, deployment);
    });

    test('is not changed by a second deploy', { timeout: 300_000 }, async () => {
      const { output, timeMs } = await deployment.deployAgain();
      timings.push(['second deploy', timeMs]);
      for (const part of ['core', 'edge']) {
        assert.match(output, new RegExp(`rivulet-${deployment.stage}-${part} \\(no changes\\)`));
      }
    });

    test('is gone when it is destroyed with its media', { timeout: 300_000 }, async () => {
      await worker.stop();
      const { timeMs } = await deployment.destroy();
      timings.push(['destroy', timeMs]);
      const s3 = new S3Client({ ...stack.connection, forcePathStyle: true });
      const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
      s3.destroy();
      const left = Buckets.filter(({ Name }) => Name?.includes(deployment.stage));
      assert.deepEqual(left, []);
    });
  });
}

type Video = { readonly currentTime: number };

function scopeOf(): Scope & { end(): Promise<void> } {
  const ends: (() => unknown)[] = [];
  return {
    after: (end) => void ends.push(end),
    end: async () => {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}
