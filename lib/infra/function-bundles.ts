/** Bundles the functions: one file each, with everything in it but Node. The very bytes that are deployed. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

export type BundledFunction = Readonly<{
  name: string;
  /** Folder that holds `index.mjs` alone. */
  folder: string;
  sizeBytes: number;
}>;

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const FUNCTIONS_FOLDER = fromRoot('dist/functions');

const ENTRIES = fromRoot('lambdas/functions');
/** Modules beside the entries that entries share. */
const SHARED: ReadonlySet<string> = new Set(['owner-key', 'ports', 'settings']);

/** Packages that are still CommonJS call `require` for Node's own modules. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

const STAND_INS = fromRoot('lambdas/sdk-stand-ins.ts');
const STOOD_IN_FOR = [
  '@aws-sdk/credential-provider-node',
  '@aws-sdk/endpoint-cache',
  '@smithy/core/event-streams',
];

/** Clients import the whole of their package.json to tell their version. */
const onlyVersions: Plugin = {
  name: 'only-versions',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]client-[a-z0-9-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { name, version } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ name, version }), loader: 'json' };
    });
  },
};

/**
 * zod's `z` holds all of zod, with its messages in fifty languages: 390 KB more than the parts that
 * are used. As a namespace of our own, esbuild sees into it.
 */
const onlyUsedZod: Plugin = {
  name: 'only-used-zod',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](?:lib|lambdas)[\\/].*\.ts$/ }, async ({ path }) => {
      if (path.includes('node_modules')) return undefined;
      const text = await readFile(path, 'utf8');
      const contents = text.replace("import { z } from 'zod'", "import * as z from 'zod'");
      return { contents, loader: 'ts' };
    });
  },
};

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
  standIns: readonly string[] = STOOD_IN_FOR,
): Promise<BundledFunction[]> {
  const names = entries ? Object.keys(entries) : await functionNames();
  const { outputFiles } = await build({
    entryPoints: names.map((name) => ({
      in: entries?.[name] ?? join(ENTRIES, `${name}.ts`),
      out: join(name, 'index'),
    })),
    outdir: outFolder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: BANNER },
    alias: Object.fromEntries(standIns.map((name) => [name, STAND_INS])),
    plugins: [onlyUsedZod, onlyVersions],
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    // The same bytes wherever the project lies.
    absWorkingDir: fromRoot('.'),
    write: false,
    logLevel: 'error',
  });
  const mapsFolder = `${outFolder}-maps`;
  await rm(outFolder, { recursive: true, force: true });
  await rm(mapsFolder, { recursive: true, force: true });
  await mkdir(mapsFolder, { recursive: true });
  const bundled: BundledFunction[] = [];
  for (const name of names) {
    const folder = join(outFolder, name);
    const path = join(folder, 'index.mjs');
    const code = outputFiles.find((file) => file.path === path);
    const map = outputFiles.find((file) => file.path === `${path}.map`);
    if (!code || !map) throw new Error(`esbuild wrote no bundle for ${name}.`);
    await mkdir(folder, { recursive: true });
    await writeFile(path, code.contents);
    await writeFile(join(mapsFolder, `${name}.mjs.map`), map.contents);
    bundled.push({ name, folder, sizeBytes: code.contents.byteLength });
  }
  return bundled;
}

if (import.meta.main) console.table(await bundleFunctions(), ['name', 'sizeBytes']);
