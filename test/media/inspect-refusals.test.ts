import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { DomainError, type ErrorCode } from '../../lib/domain/errors.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { boxesIn } from '../../lib/media/iso-boxes.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { type Clip, makeSegments } from '../support/media.ts';
import { skipVideo } from '../support/skip-video.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-refusals-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SHORT = { seconds: 4 } as const;

const bytesOf = (clip: Clip, index = 1): Uint8Array => clip.segments[index]?.bytes ?? assert.fail();

async function made(...args: readonly string[]): Promise<Uint8Array> {
  const path = join(folder, `made-${args.at(-1)}`);
  await ffmpeg([...args.slice(0, -1), path]);
  return readFileSync(path);
}

const video = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:d=1'];
const tone = ['-f', 'lavfi', '-i', 'sine=d=1'];

/** One of the boxes changed; the rest as it was. */
function withoutBox(bytes: Uint8Array, type: string): Uint8Array {
  const box = [...boxesIn(bytes)].find((it) => it.type === type) ?? assert.fail();
  return Buffer.concat([bytes.subarray(0, box.start), bytes.subarray(box.end)]);
}

/** Without the video stream's packets up to its second frame. */
function withoutFirstFrame(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [];
  let frames = 0;
  for (let at = 0; at < bytes.length; at += 188) {
    const pid = (((bytes[at + 1] ?? 0) & 0x1f) << 8) | (bytes[at + 2] ?? 0);
    if (pid === 0x100 && (bytes[at + 1] ?? 0) & 0x40) frames += 1;
    if (pid !== 0x100 || frames !== 1) kept.push(bytes.subarray(at, at + 188));
  }
  return Buffer.concat(kept);
}

describe('inspection refuses:', () => {
  const rejects = async (
    code: ErrorCode,
    message: RegExp,
    bytes: Uint8Array,
    init?: Uint8Array,
  ): Promise<void> => {
    await assert.rejects(inspectSegment(bytes, init), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.ok(error.hint.length > 20);
      return true;
    });
  };
  const text = (value: string) => new TextEncoder().encode(value);

  test('bodies of other formats and codecs, by their names', async () => {
    await rejects('empty_body', /no bytes/, new Uint8Array(0));
    await rejects('unsupported_media', /is text/, text('hello, this is no segment at all'));
    await rejects('unsupported_media', /a playlist/, text('#EXTM3U\n#EXT-X-VERSION:3\n'));
    await rejects(
      'unsupported_media',
      /an unknown format/,
      Buffer.alloc(5000, '\x00\x01\x95\xfe', 'latin1'),
    );
    await rejects('unsupported_media', /JPEG/, await made(...video, '-frames:v', '1', 'a.jpg'));
    await rejects('unsupported_media', /WebM/, await made(...video, '-c:v', 'libvpx', 'a.webm'));
    await rejects('unsupported_media', /bare AAC/, await made(...tone, '-c:a', 'aac', 'a.aac'));
    await rejects(
      'unsupported_media',
      /bare MP3/,
      await made(...tone, '-c:a', 'libmp3lame', 'a.mp3'),
    );
    await rejects(
      'unsupported_media',
      /MPEG-2 video/,
      await made(...video, '-c:v', 'mpeg2video', 'a.ts'),
    );
    await rejects('unsupported_media', /Opus/, await made(...tone, '-c:a', 'libopus', 'b.ts'));
    await rejects(
      'unsupported_media',
      /video track.*mp4v/,
      await made(...video, '-c:v', 'mpeg4', 'a.mp4'),
    );
    await rejects(
      'unsupported_media',
      /audio track.*alac/,
      await made(...tone, '-c:a', 'alac', 'b.mp4'),
    );
  });

  test('truncated segments, with the place of the cut', async () => {
    const clip = await makeSegments({ ...SHORT, container: 'fmp4' });
    const fragment = bytesOf(clip);
    await rejects(
      'truncated_segment',
      /Box mdat ends/,
      fragment.subarray(0, fragment.length - 500),
      clip.init,
    );
    const [file] = (await makeSegments({ ...SHORT, container: 'mp4-faststart' })).segments;
    const bytes = file?.bytes ?? assert.fail();
    await rejects('truncated_segment', /Box mdat ends/, bytes.subarray(0, bytes.length >> 1));
    const unfinished = withoutBox(
      bytesOf(await makeSegments({ ...SHORT, container: 'mp4' })),
      'moov',
    );
    await rejects('truncated_segment', /no moov box/, unfinished);
  });

  test('segments that lack an init segment, media, keyframes or parameter sets', async () => {
    const clip = await makeSegments({ ...SHORT, container: 'fmp4' });
    await rejects('missing_init', /without its init/, bytesOf(clip));
    await rejects('undecodable', /no media data/, clip.init ?? assert.fail());
    const ts = bytesOf(await makeSegments({ ...SHORT, bFrames: 0 }));
    await rejects('no_keyframe', /None of the 59/, withoutFirstFrame(ts));
    const open = join(folder, 'open.mp4');
    const x264 = ['-c:v', 'libx264', '-bf', '2', '-x264-params', 'open-gop=1:keyint=30:scenecut=0'];
    await ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=160x90:d=4:r=30', ...x264, open]);
    const copied = ['-c', 'copy', '-f', 'hls', '-hls_time', '2', '-hls_segment_filename'];
    await ffmpeg(['-i', open, ...copied, join(folder, 'open-%d.ts'), join(folder, 'open.m3u8')]);
    await rejects(
      'no_parameter_sets',
      /without SPS and PPS/,
      readFileSync(join(folder, 'open-1.ts')),
    );
    const tables = ts.subarray(0, 188 * 3);
    await rejects('undecodable', /neither video nor audio/, tables);
  });

  test('pictures that are larger or more than one segment may have, however few bytes they are', async () => {
    const coded = /512x273 blocks, more than the 139264 of level 6\.2/;
    await rejects('undecodable', coded, await skipVideo(512, 273, 2, 30));
    const wide = ['-f', 'lavfi', '-i', 'color=s=4096x3200:r=1:d=1', '-vf', 'setsar=4/1'];
    const shown = await made(...wide, '-c:v', 'libx264', '-preset', 'ultrafast', 'wide.ts');
    await rejects('undecodable', /16384x3200; pictures of up to 35651584 pixels/, shown);
    await rejects('undecodable', /^281 pictures of 8192x4352/, await skipVideo(512, 272, 281, 60));
    await rejects(
      'undecodable',
      /^30001 pictures of 16x16 are/,
      await skipVideo(1, 1, 30_001, 120),
    );
  });

  test('none of the sound, but its pre-roll where that is more than a record holds', async () => {
    const tracks = (kbps: number) => [
      ...['-f', 'lavfi', '-i', 'aevalsrc=random(0)-0.5:s=48000:d=1'],
      ...Array.from({ length: 16 }, () => ['-map', '0:a']).flat(),
      ...['-c:a', 'eac3', '-b:a', `${kbps}k`, `tracks-${kbps}.mp4`],
    ];
    const usual = await inspectSegment(await made(...tracks(448)));
    assert.equal(usual.preroll.length, 16);
    const large = await inspectSegment(await made(...tracks(1024)));
    assert.equal(large.facts.audio.length, 16);
    // 8 packets of 4096 bytes each.
    assert.deepEqual(
      large.preroll.map(({ track }) => track),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.ok(JSON.stringify(large).length < 400_000);
  });

  test('samples outside the media data, and absurd sample counts', async () => {
    const clip = await makeSegments({ ...SHORT, container: 'fmp4' });
    const fragment = bytesOf(clip);
    const start = Buffer.from(fragment).indexOf('mdat') - 4;
    const emptied = Buffer.concat([
      fragment.subarray(0, start),
      Buffer.from([0, 0, 0, 8]),
      Buffer.from('mdat'),
    ]);
    await rejects('truncated_segment', /outside/, emptied, clip.init);
    const file = new Uint8Array(bytesOf(await makeSegments({ ...SHORT, container: 'mp4' })));
    file.fill(0xff, Buffer.from(file).indexOf('ctts') + 12, Buffer.from(file).indexOf('ctts') + 16);
    await rejects('undecodable', /table ctts speaks of 4\d{9} samples/, file);
  });
});

describe('inspection of damaged bytes:', () => {
  test('random changes give a known error code or no error', async () => {
    const small = { seconds: 2, hlsTime: 1, size: '64x36' } as const;
    const clips = await Promise.all([
      makeSegments(small),
      makeSegments({ ...small, container: 'fmp4' }),
      makeSegments({ ...small, container: 'mp4' }),
      makeSegments({ ...small, video: 'hevc', audio: 'eac3' }),
      makeSegments({ ...small, video: 'vp9', audio: 'opus', container: 'fmp4' }),
    ]);
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    const codes = new Set<string>();
    for (let round = 0; round < 1500; round += 1) {
      const clip = clips[round % clips.length] ?? assert.fail();
      const bytes = new Uint8Array(bytesOf(clip, 0));
      const init = clip.init && new Uint8Array(clip.init);
      for (let change = random(6); change >= 0; change -= 1) {
        const target = init && random(3) === 0 ? init : bytes;
        // Headers are at the start, and most of what can go wrong.
        const at = random(random(2) === 0 ? Math.min(target.length, 1500) : target.length);
        if (random(2) === 0) target[at] = random(256);
        else target.copyWithin(at, random(target.length), random(target.length));
      }
      await inspectSegment(bytes, init).then(
        () => codes.add('accepted'),
        (error) => codes.add(error instanceof DomainError ? error.code : String(error.stack)),
      );
    }
    const known = [
      'accepted',
      'no_keyframe',
      'no_parameter_sets',
      'truncated_segment',
      'undecodable',
      'unsupported_media',
    ];
    assert.deepEqual([...codes].sort(), known);
  });
});
