/** Bundles the functions: each with everything that it needs but Node. The very bytes that are deployed. */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { FUNCTIONS } from '../function-table.ts';
import { BUNDLE_PLUGINS } from './esbuild-plugins.ts';

export type BundledFunction = Readonly<{
  name: string;
  /** Folder that holds `index.mjs` and the files that it imports, nothing else. */
  folder: string;
  /** What a cold start waits for. */
  startBytes: number;
  /** All of it: with what is loaded beside or after the start. */
  sizeBytes: number;
}>;

const fromRoot = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const FUNCTIONS_FOLDER = fromRoot('dist/functions');

const STAND_INS = fromRoot('lambdas/runtime/sdk-stubs.ts');
const STOOD_IN_FOR = [
  '@aws-sdk/credential-provider-node',
  '@aws-sdk/endpoint-cache',
  '@smithy/core/event-streams',
];

export type BundleSource = Readonly<{
  name: string;
  entry: string;
  lazyChunks?: true;
  /** A module that the function runs in a thread. Only with `lazyChunks`. */
  thread?: string;
  pages?: true;
}>;

/** `pages`: HTML by the names of its files, for functions that serve it. Replaces what is in the folder. Source maps lie beside it: stack traces are read with them, not deployed. */
export async function bundleFunctions(
  outFolder: string = FUNCTIONS_FOLDER,
  sources: readonly BundleSource[] = functionSources(),
  pages: Readonly<Record<string, string>> = {},
): Promise<BundledFunction[]> {
  const mapsFolder = `${outFolder}-maps`;
  await rm(outFolder, { recursive: true, force: true });
  await rm(mapsFolder, { recursive: true, force: true });
  const bundled = await Promise.all([
    ...sources
      .filter(({ lazyChunks }) => lazyChunks)
      .map((one) => bundle([one], outFolder, mapsFolder)),
    bundle(
      sources.filter(({ lazyChunks }) => !lazyChunks),
      outFolder,
      mapsFolder,
    ),
  ]);
  for (const source of sources) {
    if (!source.pages) continue;
    for (const [name, html] of Object.entries(pages)) {
      await writeFile(join(outFolder, source.name, name), html);
    }
  }
  return bundled.flat().sort((a, b) => a.name.localeCompare(b.name));
}

/** The entries of all functions: the file in `lambdas/functions` that has the function's name. */
export const functionSources = (): BundleSource[] =>
  FUNCTIONS.map(([name, { lazyChunks, thread, pages }]) => ({
    name,
    entry: fromRoot(`lambdas/functions/${name}.ts`),
    ...(lazyChunks ? { lazyChunks } : {}),
    ...(pages ? { pages } : {}),
    ...(thread ? { thread: fromRoot(`lib/media/threads/${thread}.ts`) } : {}),
  }));

/**
 * Each source becomes a bundle of its own. One alone is split: what it imports later is a file that
 * no cold start reads. Of several, which esbuild parses at once in half the time, files would be shared.
 */
async function bundle(
  sources: readonly BundleSource[],
  outFolder: string,
  mapsFolder: string,
): Promise<BundledFunction[]> {
  const isAlone = sources.length === 1;
  const nameOf = (source: BundleSource): string => (isAlone ? 'index' : source.name);
  const { outputFiles, metafile } = await build({
    entryPoints: Object.fromEntries([
      ...sources.map((source) => [nameOf(source), source.entry]),
      ...sources.flatMap(({ thread }) => (thread ? [[basename(thread, '.ts'), thread]] : [])),
    ]),
    // Not the folder itself, whose path would change the names of the files.
    outdir: FUNCTIONS_FOLDER,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: isAlone,
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
  return Promise.all(
    sources.map(async (source) => {
      const folder = join(outFolder, source.name);
      const maps = join(mapsFolder, source.name);
      await Promise.all([folder, maps].map((path) => mkdir(path, { recursive: true })));
      const own = `${nameOf(source)}.mjs`;
      for (const { path, contents } of outputFiles) {
        const file = basename(path);
        if (!isAlone && !file.startsWith(own)) continue;
        const target = file.replace(own, 'index.mjs');
        await writeFile(join(file.endsWith('.map') ? maps : folder, target), contents);
      }
      return { name: source.name, folder, ...sizesOf(metafile.outputs, own, source) };
    }),
  );
}

type Sizes = Pick<BundledFunction, 'startBytes' | 'sizeBytes'>;

/** `own`: the file that is loaded first. */
function sizesOf(outputs: Metafile['outputs'], own: string, { thread }: BundleSource): Sizes {
  const bytesBy = (kinds: readonly string[], from: readonly string[]): number => {
    const reached = new Set(Object.keys(outputs).filter((path) => from.includes(basename(path))));
    // A set that grows while it is walked: all that is imported by what is in it.
    for (const path of reached) {
      for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
        if (kinds.includes(kind) && !external) reached.add(next);
      }
    }
    return [...reached].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
  };
  return {
    startBytes: bytesBy(['import-statement'], [own]),
    sizeBytes: bytesBy(
      ['import-statement', 'dynamic-import'],
      thread ? [own, `${basename(thread, '.ts')}.mjs`] : [own],
    ),
  };
}

if (import.meta.main) {
  console.table(await bundleFunctions(), ['name', 'startBytes', 'sizeBytes']);
}
