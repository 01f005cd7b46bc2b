import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { findFfmpeg, parseFfmpegVersion, useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { FfmpegError, runFfmpeg } from '../../lib/ffmpeg/run.ts';
import { fitInto, videoArgs } from '../../lib/ffmpeg/transcode-args.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-ffmpeg-'));
after(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => useFfmpeg('ffmpeg'));

describe('finding ffmpeg', () => {
  test('reads the versions that builds call themselves by', () => {
    const version = (name: string) => {
      const found = parseFfmpegVersion(`ffmpeg version ${name} Copyright (c) 2000-2026 the FFmpeg`);
      return found && [found.major, found.minor, found.text];
    };
    assert.deepEqual(version('5.1.9-0+deb12u1'), [5, 1, '5.1.9-0+deb12u1']);
    assert.deepEqual(version('n7.1'), [7, 1, '7.1']);
    assert.deepEqual(version('8.0'), [8, 0, '8.0']);
    assert.equal(version('N-118047-g1a2b3c'), undefined);
  });

  test('takes the one of this machine, and refuses one that is too old or not there', async () => {
    const { version } = await findFfmpeg();
    assert.ok(version.major >= 5);
    const old = join(folder, 'old');
    writeFileSync(old, '#!/bin/sh\necho ffmpeg version 4.4.2-0ubuntu0 Copyright\n');
    chmodSync(old, 0o755);
    await assert.rejects(findFfmpeg(old), /is ffmpeg 4\.4\.2-0ubuntu0; 5\.1 or newer is needed/);
    const absent = join(folder, 'absent');
    await assert.rejects(
      findFfmpeg(absent),
      /cannot be started as ".*absent".*Install ffmpeg 5\.1/,
    );
    writeFileSync(absent, '#!/bin/sh\necho ffmpeg version 7.1 Copyright\n');
    chmodSync(absent, 0o755);
    assert.equal((await findFfmpeg(absent)).version.major, 7);
  });
});

describe('running ffmpeg', () => {
  const tone = ['-f', 'lavfi', '-i', 'sine=duration=1', '-f', 's16le', 'pipe:1'];

  test('gives what it writes, and takes what it reads', async () => {
    const { stdout, stderrTail } = await runFfmpeg({ args: tone });
    assert.equal(stdout.length, 2 * 44_100);
    assert.equal(stderrTail, '');
    const raw = ['-f', 's16le', '-ar', '44100', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'];
    const again = await runFfmpeg({ args: raw, input: stdout });
    assert.deepEqual(again.stdout, stdout);
  });

  test('fails with its reason and a command that can be run by hand', async () => {
    const missing = join(folder, "it's missing.ts");
    const failed = runFfmpeg({ args: ['-i', missing, '-f', 'null', '-'] });
    const error = await failed.then(
      () => assert.fail('it ran'),
      (reason) => reason,
    );
    assert.ok(error instanceof FfmpegError);
    assert.match(error.stderrTail, /No such file or directory/);
    assert.match(error.message, /^ffmpeg ended with exit code 1: .*No such file/);
    assert.equal(error.killedBy, null);
    assert.throws(() => execFileSync('sh', ['-c', error.command], { stdio: 'pipe' }), {
      message: /it's missing\.ts: No such file/,
    });
  });

  test('ends at once when it is told to', async () => {
    const stop = new AbortController();
    const endless = ['-re', '-f', 'lavfi', '-i', 'sine', '-f', 'null', '-'];
    const running = runFfmpeg({ args: endless, signal: stop.signal });
    const reason = new Error('the worker is asked to stop');
    setImmediate(() => stop.abort(reason));
    await assert.rejects(running, reason);
    await assert.rejects(runFfmpeg({ args: endless, signal: stop.signal }), reason);
  });
});

describe('the arguments', () => {
  test('decode once for all rungs, with a limit of rate that holds across segments', () => {
    const rung = {
      name: '720p',
      widthPx: 1280,
      heightPx: 720,
      maxrateBps: 2_500_000,
      level: '3.1',
    };
    const small = { ...rung, name: '360p', widthPx: 640, heightPx: 360, maxrateBps: 700_000 };
    const args = videoArgs({
      inputPath: 'in.ts',
      picture: { widthPx: 1920, heightPx: 1080 },
      startTicks: 492_000,
      guessMatrix: true,
      outputs: [
        { rung, path: 'a.mp4' },
        { rung: small, path: 'b.mp4' },
      ],
      threads: 1,
    });
    const following = (name: string) =>
      args.flatMap((arg, at) => (arg === name ? [args[at + 1]] : []));
    assert.deepEqual(following('-i'), ['in.ts']);
    assert.deepEqual(following('-map'), ['[v0]', '[v1]']);
    assert.deepEqual(following('-maxrate'), ['2500000', '700000']);
    assert.deepEqual(following('-rc_init_occupancy'), ['1250000', '350000']);
    assert.deepEqual(following('-threads'), ['1', '1', '1']);
    const [graph = ''] = following('-filter_complex');
    assert.match(graph, /split=2\[s0\]\[s1\];\[s0\]scale=1280:720:in_color_matrix=bt709/);
    assert.doesNotMatch(graph, /pad=/);
  });

  test('fit a picture into a frame without stretching it', () => {
    const frame = { widthPx: 854, heightPx: 480 };
    assert.deepEqual(fitInto({ widthPx: 1920, heightPx: 1080 }, frame), frame);
    assert.deepEqual(fitInto({ widthPx: 720, heightPx: 1280 }, frame), {
      widthPx: 270,
      heightPx: 480,
    });
    assert.deepEqual(fitInto({ widthPx: 640, heightPx: 480 }, frame), {
      widthPx: 640,
      heightPx: 480,
    });
    assert.deepEqual(fitInto({ widthPx: 2560, heightPx: 1080 }, frame), {
      widthPx: 854,
      heightPx: 360,
    });
  });
});
