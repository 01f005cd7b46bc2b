/** Damaged bodies without end: small real segments, each changed in one of the ways that a seed decides. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { damageBytes, splice } from './damage-bytes.ts';
import { damageMp4 } from './damage-mp4.ts';
import { damageTs } from './damage-ts.ts';
import { type Random, randomOf } from './random.ts';

export type FuzzBody = Readonly<{
  /** Makes it again: `--seed`. */
  seed: number;
  kind: string;
  /** `inspectInit` reads it. */
  isInit: boolean;
  bytes: Uint8Array;
  init?: Uint8Array;
}>;

type Whole = Readonly<{ name: string; bytes: Buffer; init?: Buffer; isTs: boolean }>;

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=64x36:rate=10'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000'];
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '10'];
const H265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'];
const AAC = ['-c:a', 'aac', '-b:a', '32k'];
const FRAGMENTED = ['-movflags', '+empty_moov+default_base_moof+frag_keyframe'];

/** Name, arguments, and whether the init segment comes apart. */
const RECIPES: readonly (readonly [name: string, args: readonly string[], isApart?: true])[] = [
  ['a.ts', [...PICTURE, ...SOUND, ...H264, ...AAC]],
  ['b.ts', [...PICTURE, ...SOUND, ...H265, '-c:a', 'mp2', '-b:a', '64k']],
  ['c.ts', [...SOUND, ...SOUND, '-map', '0', '-map', '1', '-c:a:0', 'ac3', '-c:a:1', 'mp2']],
  ['d.mp4', [...PICTURE, ...SOUND, ...H264, ...AAC]],
  ['e.mp4', [...PICTURE, ...SOUND, ...H265, '-tag:v', 'hvc1', ...AAC, '-movflags', '+faststart']],
  ['f.mp4', [...PICTURE, ...SOUND, ...H264, ...AAC, ...FRAGMENTED]],
  ['g.mp4', [...PICTURE, ...SOUND, ...H264, ...AAC, ...FRAGMENTED], true],
];

/** By ffmpeg; one second each. Another version of it makes other bytes, so seeds are of one machine. */
export async function makeWholeBodies(): Promise<readonly Whole[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-fuzz-'));
  const exact = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact'];
  try {
    const bodies: Whole[] = [];
    for (const [name, args, isApart] of RECIPES) {
      const path = join(folder, name);
      const command = ['-nostdin', '-v', 'error', '-y', ...args, '-t', '1', '-threads', '1'];
      await promisify(execFile)('ffmpeg', [...command, ...exact, path]);
      const bytes = await readFile(path);
      const cut = isApart ? bytes.indexOf('moof') - 4 : 0;
      bodies.push({
        name,
        bytes: bytes.subarray(cut),
        isTs: name.endsWith('.ts'),
        ...(isApart && { init: bytes.subarray(0, cut) }),
      });
    }
    return bodies;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The body of a seed. */
export function damagedBody(whole: readonly Whole[], seed: number): FuzzBody {
  const random = randomOf(seed);
  const body = random.pick(whole);
  const damage = body.isTs ? damageTs : damageMp4;
  if (body.init && random.chance(0.5)) {
    const init = damage(random, body.init);
    const isInit = random.chance(0.5);
    const bytes = isInit ? init : body.bytes;
    return { seed, kind: `${body.name} init`, isInit, bytes, ...(!isInit && { init }) };
  }
  const [kind, bytes] = damageOf(random, body, whole, damage);
  return {
    ...{ seed, kind: `${body.name} ${kind}`, isInit: false, bytes },
    ...(body.init && { init: body.init }),
  };
}

function damageOf(
  random: Random,
  { bytes, isTs }: Whole,
  whole: readonly Whole[],
  damage: (random: Random, bytes: Buffer) => Buffer,
): readonly [string, Buffer] {
  if (random.chance(0.2)) return ['bytes', damageBytes(random, bytes)];
  if (random.chance(0.06)) {
    const others = whole.filter((other) => other.isTs === isTs);
    return ['splice', splice(random, bytes, random.pick(others).bytes, isTs ? 188 : 1)];
  }
  const once = damage(random, bytes);
  return random.chance(0.15) ? ['twice', damage(random, once)] : ['structure', once];
}
