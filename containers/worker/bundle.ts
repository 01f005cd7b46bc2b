/** Makes the folder that the image is built from: the worker, the thread that reads whole files, and the Dockerfile. */

import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const SPLIT_THREAD = here('../../lib/media/split/split-thread.ts');

/** Of the repository; not under version control. */
export const IMAGE_FOLDER = here('../../dist/worker');

/** Everything but Node and ffmpeg. Readable, so that stack traces are. */
export async function bundleWorker(folder: string): Promise<void> {
  await build({
    entryPoints: { worker: here('main.ts'), 'split-thread': SPLIT_THREAD },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // ES modules are tree-shaken; CommonJS is not.
    mainFields: ['module', 'main'],
    // For packages that are CommonJS none the less.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
}

/** Ready for `docker build`, for amd64 and arm64 alike. */
export async function makeImageFolder(folder = IMAGE_FOLDER): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([
    bundleWorker(folder),
    copyFile(here('Dockerfile'), join(folder, 'Dockerfile')),
  ]);
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? IMAGE_FOLDER);
  await makeImageFolder(folder);
  const { size } = await stat(join(folder, 'worker.mjs'));
  console.log(`${folder}: worker.mjs has ${(size / 1024).toFixed(0)} KB`);
}
