/** Bundles the functions: each with everything that it needs but Node. The very bytes that are deployed. */

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { BUNDLE_PLUGINS } from './bundle-plugins.ts';

export type BundledFunction = Readonly<{
  name: string;
  /** Folder that holds `index.mjs` and the files that it imports, nothing else. */
  folder: string;
  /** What a cold start waits for. */
  startBytes: number;
  /** All of it: with what is loaded beside or after the start. */
  sizeBytes: number;
}>;

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const FUNCTIONS_FOLDER = fromRoot('dist/functions');

const ENTRIES = fromRoot('lambdas/functions');
/** Modules beside the entries that entries share. */
const SHARED: ReadonlySet<string> = new Set([
  'after-start',
  'media-store',
  'owner-key',
  'ports',
  'settings',
]);

const STAND_INS = fromRoot('lambdas/sdk-stand-ins.ts');
const STOOD_IN_FOR = [
  '@aws-sdk/credential-provider-node',
  '@aws-sdk/endpoint-cache',
  '@smithy/core/event-streams',
];

export async function functionNames(): Promise<string[]> {
  const files = await readdir(ENTRIES);
  return files
    .map((file) => basename(file, '.ts'))
    .filter((name) => !SHARED.has(name))
    .sort();
}

/** Replaces what is in the folder. Source maps lie beside it: stack traces are read with them, not deployed. */
export async function bundleFunctions(
  outFolder: string = FUNCTIONS_FOLDER,
  entries?: Readonly<Record<string, string>>,
): Promise<BundledFunction[]> {
  const names = entries ? Object.keys(entries) : await functionNames();
  const mapsFolder = `${outFolder}-maps`;
  await rm(outFolder, { recursive: true, force: true });
  await rm(mapsFolder, { recursive: true, force: true });
  return Promise.all(
    names.map(async (name) => {
      const entry = entries?.[name] ?? join(ENTRIES, `${name}.ts`);
      const folder = join(outFolder, name);
      const sizes = await bundle(entry, folder, join(mapsFolder, name));
      return { name, folder, ...sizes };
    }),
  );
}

type Sizes = Pick<BundledFunction, 'startBytes' | 'sizeBytes'>;

async function bundle(entry: string, folder: string, mapsFolder: string): Promise<Sizes> {
  const { outputFiles, metafile } = await build({
    entryPoints: { index: entry },
    // Not the folder itself, whose path would change the names of the files.
    outdir: FUNCTIONS_FOLDER,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported later becomes a file of its own, which no cold start reads.
    splitting: true,
    chunkNames: '[name]-[hash]',
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    alias: Object.fromEntries(STOOD_IN_FOR.map((name) => [name, STAND_INS])),
    plugins: BUNDLE_PLUGINS,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    // The same bytes wherever the project lies.
    absWorkingDir: fromRoot('.'),
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  await Promise.all([folder, mapsFolder].map((path) => mkdir(path, { recursive: true })));
  for (const { path, contents } of outputFiles) {
    await writeFile(join(path.endsWith('.map') ? mapsFolder : folder, basename(path)), contents);
  }
  return sizesOf(metafile.outputs);
}

function sizesOf(outputs: Metafile['outputs']): Sizes {
  const code = Object.entries(outputs).filter(([path]) => path.endsWith('.mjs'));
  const waitedFor = new Set(code.flatMap(([path]) => (basename(path) === 'index.mjs' ? path : [])));
  // A set that grows while it is walked: all that is imported by what is in it.
  for (const path of waitedFor) {
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && !external) waitedFor.add(next);
    }
  }
  const bytesOf = (some: typeof code): number =>
    some.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  return {
    startBytes: bytesOf(code.filter(([path]) => waitedFor.has(path))),
    sizeBytes: bytesOf(code),
  };
}

if (import.meta.main) {
  console.table(await bundleFunctions(), ['name', 'startBytes', 'sizeBytes']);
}
