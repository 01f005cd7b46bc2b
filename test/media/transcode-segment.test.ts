import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { planLadder } from '../../lib/domain/ladder.ts';
import { useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { FfmpegError } from '../../lib/ffmpeg/run.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import { type TranscodedSegment, transcodeSegment } from '../../lib/media/transcode-segment.ts';
import { type Clip, makeSegments } from '../support/media.ts';
import {
  digestOf,
  placeSegments,
  renditionsOf,
  SMALL_LADDER,
  transcodePlaced,
  transcodeRun,
  workFolder,
} from './segment-run.ts';

afterEach(() => useFfmpeg('ffmpeg'));

const digests = (segment: TranscodedSegment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(renditionsOf(segment)).map(([name, { init, media }]) => [
      name,
      `${digestOf(init)} ${digestOf(media)}`,
    ]),
  );

/** A wrapper of ffmpeg that runs a line of shell first. */
function ffmpegAfter(name: string, line: string): string {
  const path = join(workFolder, name);
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$*" in -version) exec ffmpeg "$@";; esac\n${line}\nexec ffmpeg "$@"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

const leftFolders = () => readdirSync(workFolder).filter((name) => name.startsWith('segment-'));

describe('transcode jobs:', () => {
  test('they give the same bytes in any order, again, and after one was killed', async () => {
    const clip = await makeSegments({ seconds: 8, audio: 'mp3', openGop: true });
    // With several threads libx264 spends bits as they happen to run; times and headers stay.
    const threads = 1;
    const inOrder = await transcodeRun(clip, { threads });
    const shuffled = await transcodeRun(clip, { threads, order: [2, 0, 3, 1] });
    assert.deepEqual(shuffled.results.map(digests), inOrder.results.map(digests));

    const placed = await placeSegments(clip);
    const once = join(workFolder, 'killed');
    useFfmpeg(ffmpegAfter('killed-once', `if mkdir ${once} 2>/dev/null; then kill -9 $$; fi`));
    await assert.rejects(transcodePlaced(clip, placed, 2, { threads }), (error) => {
      assert.ok(error instanceof FfmpegError);
      assert.equal(error.killedBy, 'SIGKILL');
      return true;
    });
    assert.deepEqual(leftFolders(), []);
    const again = await transcodePlaced(clip, placed, 2, { threads });
    assert.deepEqual(digests(again), digests(inOrder.results[2] ?? assert.fail()));
  });

  test('an aborted job ends and leaves no files', async () => {
    const clip = await makeSegments({ seconds: 8, audio: 'mp3' });
    const placed = await placeSegments(clip);
    const started = join(workFolder, 'started');
    useFfmpeg(ffmpegAfter('slow', `mkdir -p ${started}; exec sleep 60`));
    const stop = new AbortController();
    const job = transcodePlaced(clip, placed, 1, {}, stop.signal);
    const failed = assert.rejects(job, (error) => error === stop.signal.reason);
    while (!readdirSync(workFolder).includes('started')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort();
    await failed;
    assert.deepEqual(leftFolders(), []);
  });

  test('one that takes longer than it may is stopped, and its segment is undecodable', async () => {
    const clip = await makeSegments({ seconds: 4 });
    const placed = await placeSegments(clip);
    useFfmpeg(ffmpegAfter('stuck', 'case "$*" in *libx264*) exec sleep 1000;; esac'));
    await assert.rejects(transcodePlaced(clip, placed, 0, { timeoutMs: 1500 }), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.deepEqual(
        [error.code, error.message],
        ['undecodable', 'Transcoding it took longer than 2 s.'],
      );
      return true;
    });
    assert.deepEqual(leftFolders(), []);
  });

  test('of 18 audio tracks 16 are encoded, two at a time, and the receipt says so', async () => {
    const languages = Array.from({ length: 18 }, () => 'eng');
    const sound = { seconds: 1, video: 'none', audio: 'mp3', container: 'fmp4' } as const;
    const clip = await makeSegments({ ...sound, languages });
    const placed = await placeSegments(clip);
    const [{ facts } = assert.fail()] = placed;
    assert.equal(facts.audio.length, 16);
    assert.deepEqual(
      facts.notices?.map(({ code, message }) => `${code}: ${message}`),
      [17, 18].map(
        (track) =>
          `track_ignored: The audio track ${track} is one of more than 16; it is left out.`,
      ),
    );
    const running = join(workFolder, 'running');
    mkdirSync(running);
    const [mark, counts] = [`${running}/$$`, join(workFolder, 'counts')];
    const counted = `touch ${mark}; ls ${running} | wc -l >> ${counts}; ffmpeg "$@"; rm ${mark}; exit`;
    useFfmpeg(ffmpegAfter('counted', counted));
    const renditions = renditionsOf(await transcodePlaced(clip, placed, 0));
    assert.equal(Object.keys(renditions).length, 16);
    const atOnce = readFileSync(counts, 'utf8').trim().split('\n').map(Number);
    assert.equal(atOnce.length, 16);
    assert.equal(Math.max(...atOnce), 2);
  });

  test('a frame that lasts longer than the target duration is repeated, and each piece has its picture', async () => {
    // 25 frames in the first second, then one for five seconds while the sound goes on, then more.
    const filter = "select='lt(n,25)+gte(n,150)'";
    const long = { seconds: 8, rate: '25', hlsTime: 8, filter, videoArgs: ['-fps_mode', 'vfr'] };
    const clip = await makeSegments({ ...long, container: 'fmp4' });
    const { placed, results, renditions } = await transcodeRun(clip, { targetSeconds: 2 });
    assert.equal(placed[0]?.facts.video?.frames, 75);
    const seconds = (ticks = 0) => Math.round(ticks / 900) / 100;
    assert.deepEqual(
      results[0]?.pieces.map(({ durationTicks }) => seconds(durationTicks)),
      [2, 2, 2, 2],
    );
    for (const name of ['180p', '90p']) {
      const pieces = renditions[name]?.pieces ?? assert.fail();
      assert.deepEqual(
        pieces.map((piece) => [piece.samples.length, seconds(piece.endTicks - piece.startTicks)]),
        Array.from({ length: 4 }, () => [50, 2]),
      );
    }
  });

  test('an end that is a guess is asked for once, before the cuts that follow from it', async () => {
    const clip = await makeSegments({ seconds: 2, rate: '1', hlsTime: 1, audio: 'none' });
    const [{ bytes, facts, timestampOffsetTicks } = assert.fail()] = await placeSegments(clip);
    assert.equal(facts.endIsGuess, true);
    const startTicks = facts.startTicks + timestampOffsetTicks;
    const durations = async (...ends: (number | undefined)[]) => {
      const { pieces } = await transcodeSegment({
        ...{ segment: bytes, facts, timestampOffsetTicks, audioTracks: [], targetSeconds: 2 },
        rungs: planLadder(SMALL_LADDER, facts.video ?? assert.fail()),
        findEndTicks: async () => {
          const seconds = ends.shift();
          return seconds === undefined ? undefined : startTicks + seconds * 90_000;
        },
        ...{ workFolder, signal: new AbortController().signal },
      });
      return pieces.map(({ durationTicks }) => durationTicks / 90_000);
    };
    assert.deepEqual(await durations(8), [2, 2, 2, 2]);
    assert.deepEqual(await durations(undefined, 8), [0.04]);
  });

  test("the result has the segment's start, duration and rendition parameters", async () => {
    const clip = await makeSegments({ seconds: 4, rate: '25' });
    const { placed, results } = await transcodeRun(clip);
    for (const [index, { facts, timestampOffsetTicks }] of placed.entries()) {
      assert.equal(results[index]?.startTicks, facts.startTicks + timestampOffsetTicks);
      assert.equal(results[index]?.durationTicks, 180_000);
    }
    const info = results[0]?.pieces[0]?.renditions['180p']?.info;
    assert.deepEqual(info, {
      kind: 'video',
      codecString: 'avc1.64001e',
      widthPx: 320,
      heightPx: 180,
      framesPerSecond: 25,
      maxrateBps: 400_000,
    });
  });
});

describe('a damaged segment:', () => {
  /** The bytes that came at first are damaged after they were inspected. */
  const spoil = (bytes: Uint8Array, from: number, to: number): Uint8Array => {
    const spoiled = new Uint8Array(bytes);
    for (let at = 0; at < bytes.length; at += 188) {
      const inside = at >= bytes.length * from && at < bytes.length * to;
      const continues = ((bytes[at + 1] ?? 0) & 0x5f) === 0x01 && bytes[at + 2] === 0;
      if (inside && continues && ((bytes[at + 3] ?? 0) & 0x30) === 0x10) {
        spoiled.fill(0xff, at + 4, at + 188);
      }
    }
    return spoiled;
  };

  /** Every NAL unit has its length and its type, and nothing else that was in it. */
  const withoutSlices = (bytes: Uint8Array): Uint8Array => {
    const emptied = new Uint8Array(bytes);
    const view = new DataView(emptied.buffer);
    for (let at = Buffer.from(bytes).indexOf('mdat') + 4; at + 5 < bytes.length; ) {
      const length = view.getUint32(at);
      emptied.fill(0, at + 5, at + 4 + length);
      at += 4 + length;
    }
    return emptied;
  };

  test('the frames that decode are kept, and the segment abuts its neighbours', async () => {
    const whole = await makeSegments({ seconds: 6, audio: 'none', keyframeSeconds: 0.5 });
    const segments = whole.segments.map(({ name, bytes }, index) => ({
      name,
      bytes: index === 1 ? spoil(bytes, 0.2, 0.6) : bytes,
    }));
    const { placed, renditions } = await transcodeRun({ segments });
    const pieces = renditions['180p']?.pieces ?? assert.fail();
    assert.equal(pieces[0]?.endTicks, pieces[1]?.startTicks);
    assert.equal(pieces[1]?.endTicks, pieces[2]?.startTicks);
    assert.equal(
      pieces[1]?.startTicks,
      (placed[1]?.facts.startTicks ?? 0) + (placed[1]?.timestampOffsetTicks ?? 0),
    );
    assert.ok((pieces[1]?.samples.length ?? 0) > 20);
  });

  test('one without a decodable frame is undecodable; a failing encoder is a retry', async () => {
    const clip: Clip = await makeSegments({ seconds: 4, audio: 'none', container: 'fmp4' });
    const placed = await placeSegments(clip);
    const [first = assert.fail()] = placed;
    const noise = withoutSlices(first.bytes);
    // The headers are there: nothing but decoding shows what this is.
    const { facts } = await inspectSegment(noise, clip.init);
    await assert.rejects(transcodePlaced(clip, [{ ...first, bytes: noise, facts }], 0), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.equal(error.code, 'undecodable');
      return true;
    });

    useFfmpeg(
      ffmpegAfter(
        'no-encoder',
        'case "$*" in *libx264*) echo No space left on device >&2; exit 1;; esac',
      ),
    );
    await assert.rejects(transcodePlaced(clip, placed, 0), (error) => {
      assert.ok(error instanceof FfmpegError, String(error));
      assert.match(error.message, /No space left on device/);
      assert.match(error.message, /-filter_complex '/);
      return true;
    });
    useFfmpeg(join(workFolder, 'no-such-program'));
    await assert.rejects(transcodePlaced(clip, placed, 0), /Install ffmpeg 5\.1/);
    assert.deepEqual(leftFolders(), []);
  });

  test('damaged audio packets do not move the audio behind them', async () => {
    const clip = await makeSegments({ seconds: 8, audio: 'mp3', video: 'none' });
    const placed = await placeSegments(clip);
    const whole = await transcodePlaced(clip, placed, 1);
    const spoiled = new Uint8Array(clip.segments[1]?.bytes ?? assert.fail());
    const packets = placed[1]?.media.audio[0]?.packets ?? assert.fail();
    for (const { bytes } of packets.slice(20, 23)) {
      const at = Buffer.from(spoiled).indexOf(Buffer.from(bytes.subarray(40, 80)));
      if (at >= 0) spoiled.fill(0, at - 34, at + 80);
    }
    assert.notDeepEqual(spoiled, clip.segments[1]?.bytes);
    const damaged = placed.map((it, index) => (index === 1 ? { ...it, bytes: spoiled } : it));
    const out = await transcodePlaced(clip, damaged, 1);
    const [a, b] = [whole, out].map((segment) => {
      const { init, media } = renditionsOf(segment).audio ?? assert.fail();
      return parseCmaf(Buffer.concat([init, media]));
    });
    assert.deepEqual([b?.startTicks, b?.endTicks], [a?.startTicks, a?.endTicks]);
    // The frames behind the damage have about the sizes that they would have had.
    const preroll = [a, b].map((it) => it?.samples.slice(-3).map(({ bytes }) => bytes.length));
    const [wanted = [], got = []] = preroll;
    assert.ok(wanted.every((size, index) => Math.abs(size - (got[index] ?? 0)) < size * 0.3));
  });
});

mkdirSync(workFolder, { recursive: true });
