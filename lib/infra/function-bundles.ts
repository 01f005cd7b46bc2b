/** Bundles the functions: each with everything that it needs but Node. The very bytes that are deployed. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  const sources = names.map((name) => ({ name, entry: entries?.[name] ?? entryOf(name) }));
  const [later, atOnce] = await partition(sources, ({ entry }) => loadsPartsLater(entry));
  const bundled = await Promise.all([
    ...later.map((source) => bundle([source], outFolder, mapsFolder)),
    bundle(atOnce, outFolder, mapsFolder),
  ]);
  return bundled.flat().sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

const entryOf = (name: string): string => join(ENTRIES, `${name}.ts`);

/** If this is wrong, the function works all the same, but loads everything when it starts. */
const loadsPartsLater = async (entry: string): Promise<boolean> =>
  /'\.\/(?:after-start|media-store)\.ts'/.test(await readFile(entry, 'utf8'));

async function partition<T>(
  all: readonly T[],
  test: (one: T) => Promise<boolean>,
): Promise<[passed: T[], failed: T[]]> {
  const verdicts = await Promise.all(all.map(test));
  return [all.filter((_, index) => verdicts[index]), all.filter((_, index) => !verdicts[index])];
}

type Source = Readonly<{ name: string; entry: string }>;

/**
 * Each source becomes a bundle of its own. One alone is split: what it imports later is a file that
 * no cold start reads. Of several, which esbuild parses at once in half the time, files would be shared.
 */
async function bundle(
  sources: readonly Source[],
  outFolder: string,
  mapsFolder: string,
): Promise<BundledFunction[]> {
  const isAlone = sources.length === 1;
  const nameOf = (source: Source): string => (isAlone ? 'index' : source.name);
  const { outputFiles, metafile } = await build({
    entryPoints: Object.fromEntries(sources.map((source) => [nameOf(source), source.entry])),
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
      return { name: source.name, folder, ...sizesOf(metafile.outputs, own) };
    }),
  );
}

type Sizes = Pick<BundledFunction, 'startBytes' | 'sizeBytes'>;

/** `own`: the file that is loaded first. */
function sizesOf(outputs: Metafile['outputs'], own: string): Sizes {
  const bytesBy = (kinds: readonly string[]): number => {
    const reached = new Set(Object.keys(outputs).filter((path) => basename(path) === own));
    // A set that grows while it is walked: all that is imported by what is in it.
    for (const path of reached) {
      for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
        if (kinds.includes(kind) && !external) reached.add(next);
      }
    }
    return [...reached].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
  };
  return {
    startBytes: bytesBy(['import-statement']),
    sizeBytes: bytesBy(['import-statement', 'dynamic-import']),
  };
}

if (import.meta.main) {
  console.table(await bundleFunctions(), ['name', 'startBytes', 'sizeBytes']);
}
