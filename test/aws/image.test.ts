import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeImageFolder } from '../../containers/worker/bundle.ts';
import { temporaryFolder, waitFor } from '../support/system.ts';
import { lackForRoots, openDebian } from './debian.ts';
import { buildImage, type Image, runInside, startInside } from './dockerfile.ts';
import { engineWithStream } from './engine-with-stream.ts';
import { type MiniStack, withMiniStack } from './ministack.ts';
import { watchWorker } from './worker-process.ts';

const run = promisify(execFile);

/**
 * Of what the image adds to its base, unpacked. A task has no cache of images and loads every byte
 * before it starts: whoever begins a stream waits for that.
 */
const BUDGET_MB = 380;

type Files = ReadonlyMap<string, number>;

/** Sizes in bytes by paths; of folders there is no trace. */
async function filesOf(root: string): Promise<Files> {
  const print = ['(', '-type', 'f', '-o', '-type', 'l', ')', '-printf', '/%P\\t%s\\n'];
  const { stdout } = await run('find', [root, ...print], { maxBuffer: 16 * 1024 * 1024 });
  const lines = stdout.split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => line.split('\t')).map(([path = '', size]) => [path, Number(size)]),
  );
}

type Built = Readonly<{
  image: Image;
  files: Files;
  base: Files;
  /** What the steps collect of ffmpeg's packages. */
  programs: Files;
}>;

async function build(folder: string): Promise<Built> {
  const [context, apt, base] = [join(folder, 'context'), join(folder, 'apt'), join(folder, 'base')];
  await Promise.all([mkdir(apt), mkdir(base)]);
  const debian = await openDebian(apt);
  await debian.unpack(debian.base, base);
  await makeImageFolder(context);
  const { image, stages } = await buildImage({
    context,
    folder,
    bases: {
      'debian:bookworm-slim': async (root) => {
        await run('cp', ['--archive', `${base}/.`, root]);
        // Of a container's devices the one that programs are started with.
        await run('mknod', ['--mode=666', join(root, 'dev/null'), 'c', '1', '3']);
      },
      // The one that runs us is that of the image.
      [`node:${process.versions.node}-bookworm-slim`]: async (root) => {
        const node = join(root, 'usr/local/bin/node');
        await mkdir(dirname(node), { recursive: true });
        await copyFile(process.execPath, node);
      },
    },
    install: async (command, root) =>
      debian.unpack(await debian.wouldInstall(command, debian.base), root),
  });
  const programs = stages.get('programs') ?? assert.fail('there is no stage programs');
  return {
    image,
    files: await filesOf(image.root),
    base: await filesOf(base),
    programs: await filesOf(join(programs, 'programs')),
  };
}

/** On ECS the root is read-only. To one who is not its owner it is, but for these. */
const lockRoot = ({ root }: Image) =>
  Promise.all(['tmp', 'var/tmp'].map((name) => chmod(join(root, name), 0o755)));

const sh = (image: Image, command: string) => runInside(image, ['/bin/sh', '-c', command]);

const megabytes = (files: readonly (readonly [path: string, sizeBytes: number])[]): number =>
  Math.round(files.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0) / 1e5) / 10;

async function testImage(stack: MiniStack): Promise<void> {
  const folder = await temporaryFolder({ after });

  describe("the worker's image", () => {
    let built: Built;
    before(async () => {
      built = await build(folder);
    });

    test('is Node, ffmpeg, the bundle, and the libraries that the base does not have', () => {
      const { files, base, programs } = built;
      const again = [...programs.keys()].filter((path) => base.has(path));
      assert.deepEqual(again, []);
      const isLibrary = (path: string) => /^\/usr\/lib\/\S+\.so[.\d]*$/.test(path);
      const libraries = [...programs.keys()].filter(isLibrary);
      assert.ok(libraries.some((path) => /\/libx264\.so\.\d+$/.test(path)));
      assert.deepEqual(
        [...files.keys()].filter((path) => !base.has(path)).sort(),
        [
          '/app/split-thread.mjs',
          '/app/worker.mjs',
          '/usr/bin/ffmpeg',
          '/usr/local/bin/node',
          ...libraries,
        ].sort(),
      );
    });

    test('is small, as each task that starts loads it again', (t) => {
      const { files, base } = built;
      const addedMb = megabytes([...files].filter(([path]) => !base.has(path)));
      t.diagnostic(`${addedMb} MB, and the base ${megabytes([...base])} MB`);
      assert.ok(addedMb <= BUDGET_MB, `it adds ${addedMb} MB to the base`);
      assert.ok(addedMb > BUDGET_MB / 2, `it adds only ${addedMb} MB: something is missing`);
    });

    test('does its job with a root that is read-only, says that it is alive, and stops', async (t) => {
      const engine = await engineWithStream(t, stack);
      const image = { ...built.image, env: { ...built.image.env, ...engine.env } };
      await lockRoot(image);
      const writable = await sh(image, 'find / -writable ! -type l 2>/dev/null | sort');
      assert.equal(writable.output, '/dev/null\n/scratch\n');
      assert.deepEqual(image.volumes, ['/scratch']);
      const ffmpeg = await sh(image, 'ffmpeg -version');
      assert.equal(ffmpeg.code, 0, ffmpeg.output);
      const isHealthy = async () => (await sh(image, image.healthCommand)).code === 0;
      assert.equal(await isHealthy(), false);

      const worker = watchWorker(t, startInside(image, image.entrypoint));
      await waitFor('the worker', () => {
        assert.ok(!worker.hasEnded(), worker.output());
        return isHealthy();
      });
      await engine.upload(0);
      assert.deepEqual(await engine.rendered(0), ['360p', '240p', 'audio']);
      await worker.stop();
      const scratch = join(image.root, 'scratch');
      assert.deepEqual(await readdir(scratch), ['alive']);

      const threeMinutesAgo = Date.now() / 1000 - 180;
      await utimes(join(scratch, 'alive'), threeMinutesAgo, threeMinutesAgo);
      assert.equal(await isHealthy(), false);
    });
  });
}

const lack = await lackForRoots();
if (lack === undefined) await withMiniStack(testImage);
else test("the worker's image", { skip: lack }, () => {});
