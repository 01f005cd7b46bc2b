import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { audioArgs } from '../../lib/ffmpeg/audio-args.ts';
import { findFfmpeg, parseFfmpegVersion, useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { atLowPriority, FfmpegError, runFfmpeg } from '../../lib/ffmpeg/run.ts';
import { decodeArgs, fitInto, videoArgs } from '../../lib/ffmpeg/transcode-args.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-ffmpeg-'));
after(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => useFfmpeg('ffmpeg'));

describe('finding ffmpeg:', () => {
  test('versions are read from every style of banner', () => {
    const version = (name: string) => {
      const found = parseFfmpegVersion(`ffmpeg version ${name} Copyright (c) 2000-2026 the FFmpeg`);
      return found && [found.major, found.minor, found.text];
    };
    assert.deepEqual(version('5.1.9-0+deb12u1'), [5, 1, '5.1.9-0+deb12u1']);
    assert.deepEqual(version('n7.1'), [7, 1, '7.1']);
    assert.deepEqual(version('8.0'), [8, 0, '8.0']);
    assert.equal(version('N-118047-g1a2b3c'), undefined);
  });

  test('the one on the PATH is taken; one that is too old or absent is refused', async () => {
    assert.equal(await findFfmpeg(), 'ffmpeg');
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
    assert.equal(await findFfmpeg(absent), absent);
  });
});

describe('running ffmpeg:', () => {
  const tone = ['-f', 'lavfi', '-i', 'sine=duration=1', '-f', 's16le', 'pipe:1'];

  test('standard output comes back whole', async () => {
    const { stdout, stderrTail } = await runFfmpeg({ args: tone });
    assert.equal(stdout.length, 2 * 44_100);
    assert.equal(stderrTail, '');
  });

  test('a failure has its reason and a command that runs in a shell', async () => {
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

  test('an abort kills it', async () => {
    const stop = new AbortController();
    const endless = ['-re', '-f', 'lavfi', '-i', 'sine', '-f', 'null', '-'];
    const running = runFfmpeg({ args: endless, signal: stop.signal });
    const reason = new Error('the worker stops');
    setImmediate(() => stop.abort(reason));
    await assert.rejects(running, reason);
    await assert.rejects(runFfmpeg({ args: endless, signal: stop.signal }), reason);
  });
});

describe('ffmpeg beside what serves:', () => {
  test('one that writes without end is stopped', async () => {
    const endless = ['-f', 'lavfi', '-i', 'anullsrc=r=192000', '-f', 's16le', 'pipe:1'];
    await assert.rejects(runFfmpeg({ args: endless }), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.match(error.message, /more than 64 MB/);
      return true;
    });
  });

  test('all its threads have a lower priority, and Linux ends it first when memory runs out', {
    skip: process.platform !== 'linux' && 'priorities of threads are read from /proc',
  }, async () => {
    const script = join(folder, 'asked');
    // Its threads are there when it has read its input to the end.
    const ask = `cat /proc/$!/task/*/stat | sed 's/.*) //' | cut -d' ' -f17 | sort -u; cat /proc/$!/oom_score_adj`;
    const lines = [
      '#!/bin/sh',
      'case "$*" in -version) exec ffmpeg "$@";; esac',
      // It may run before the line that started it has gone on to lower it.
      'tries=0',
      'while [ $tries -lt 2000 ] && [ $(cat /proc/$$/oom_score_adj) = 0 ]; do tries=$((tries+1)); done',
      'ffmpeg -nostdin -v error -re -f lavfi -i testsrc2 -c:v libx264 -f null - &',
      'while [ $(ls /proc/$!/task | wc -l) -lt 4 ]; do :; done',
      ask,
      'kill -9 $!',
    ];
    writeFileSync(script, `${lines.join('\n')}\n`);
    chmodSync(script, 0o755);
    useFfmpeg(script);
    const { stdout } = await runFfmpeg({ args: [] });
    const lowered = Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL);
    assert.equal(stdout.toString(), `${lowered}\n500\n`);
    // Of a job that no live viewer waits for, however deep inside it is started.
    const { stdout: low } = await atLowPriority(async () => runFfmpeg({ args: [] }));
    assert.equal(low.toString(), `${constants.priority.PRIORITY_LOW}\n500\n`);
  });
});

describe('the arguments for ffmpeg:', () => {
  test('one decode serves all rungs, and the rate limit holds across segments', () => {
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
      format: 'mpegts',
      frame: { widthPx: 1920, heightPx: 1080 },
      startTicks: 492_000,
      framesPerSecond: 29.97,
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

  test('each input is a file, whose demuxer is not guessed', () => {
    const input = { channels: 2, mutedSeconds: [], lengthSamples: undefined };
    const lists = [
      decodeArgs('mpegts', 'in.ts'),
      videoArgs({
        ...{ inputPath: 'in.ts', format: 'mpegts', frame: { widthPx: 16, heightPx: 16 } },
        ...{ startTicks: 0, framesPerSecond: 25, guessMatrix: false, outputs: [] },
      }),
      audioArgs({
        inputs: ['a.mp3', 'b.mp3'].map((path) => ({ ...input, path, format: 'mp3' })),
        ...{ sampleRateHz: 48_000, channels: 2, bitrateBps: 128_000, padSamples: 0 },
        ...{ resamples: false, fillsGaps: false },
      }),
    ];
    const inputs = lists.flatMap((args) =>
      args.flatMap((arg, at) => (arg === '-i' ? [args.slice(at - 4, at + 2)] : [])),
    );
    const guarded = (format: string, path: string) => [
      ...['-protocol_whitelist', 'file', '-f', format, '-i', path],
    ];
    assert.deepEqual(inputs, [
      guarded('mpegts', 'in.ts'),
      guarded('mpegts', 'in.ts'),
      guarded('mp3', 'a.mp3'),
      guarded('mp3', 'b.mp3'),
    ]);
  });

  test('a list of addresses in the place of a segment is neither read as one nor opens them', async () => {
    const path = join(folder, 'list.ts');
    const list = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n';
    writeFileSync(path, `${list}#EXT-X-ENDLIST\n`);
    const reason = (format: string) =>
      runFfmpeg({ args: decodeArgs(format, path) }).then(
        () => 'it was read',
        (error) => (error instanceof FfmpegError ? error.stderrTail : String(error)),
      );
    assert.doesNotMatch(await reason('mpegts'), /it was read|127\.0\.0\.1/);
    assert.match(await reason('hls'), /Protocol 'http' not on whitelist 'file'/);
  });

  test('the init segment does not depend on the quality setting', async () => {
    const inputPath = join(folder, 'source.mp4');
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:d=0.2', '-c:v', 'libx264', inputPath];
    await runFfmpeg({ args: source });
    const rung = {
      name: '90p',
      widthPx: 160,
      heightPx: 90,
      maxrateBps: 200_000,
      level: '3.0',
    };
    const path = join(folder, 'rung.mp4');
    const args = videoArgs({
      inputPath,
      format: 'mov',
      frame: rung,
      startTicks: 0,
      framesPerSecond: 30,
      guessMatrix: true,
      outputs: [{ rung, path }],
    });
    const inits = new Set<string>();
    for (const quality of ['18', '23', '30']) {
      await runFfmpeg({ args: args.with(args.indexOf('-crf') + 1, quality) });
      inits.add(Buffer.from(parseCmaf(readFileSync(path)).init).toString('hex'));
    }
    // So a running stream keeps its init segment when an update changes the quality.
    assert.equal(inits.size, 1);
  });

  test('a source of another shape is fitted into a rung without being stretched', () => {
    const rung = { widthPx: 854, heightPx: 480 };
    assert.deepEqual(fitInto({ widthPx: 1920, heightPx: 1080 }, rung), rung);
    assert.deepEqual(fitInto({ widthPx: 720, heightPx: 1280 }, rung), {
      widthPx: 270,
      heightPx: 480,
    });
    assert.deepEqual(fitInto({ widthPx: 640, heightPx: 480 }, rung), {
      widthPx: 640,
      heightPx: 480,
    });
    assert.deepEqual(fitInto({ widthPx: 2560, heightPx: 1080 }, rung), {
      widthPx: 854,
      heightPx: 360,
    });
  });
});
