/** Builds the pages: one folder of files that any static server or CDN can serve. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';

/**
 * Nothing inline, nothing from other hosts, but for media and playlists. Styles are the exception: media-chrome writes `<style>` into the shadow roots of its elements.
 * Servers should send it as a header too; the page has it in a `<meta>` for those that do not.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "media-src 'self' blob: http: https:",
  "worker-src 'self' blob:",
  "connect-src 'self' http: https:",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

export type BuiltFile = Readonly<{
  /** Relative to the output folder. Names under `assets/` carry a hash of the content: cacheable for ever. */
  path: string;
  sizeBytes: number;
  gzipBytes: number;
}>;

const SOURCE = fileURLToPath(new URL('./watch/', import.meta.url));
const ASSETS = 'assets';

/** The oldest browsers with the custom elements and CSS that the page relies on. */
const TARGETS = ['chrome111', 'firefox113', 'safari16.4'];

/**
 * Replaces the contents of `outFolder` with the built pages. Returns its files, entry page first. A server
 * that serves the folder meanwhile finds the old pages or the new ones, whole.
 */
export async function buildPages(outFolder: string): Promise<readonly BuiltFile[]> {
  const out = path.resolve(outFolder);
  await mkdir(path.join(out, ASSETS), { recursive: true });
  const files: BuiltFile[] = [];

  const write = async (file: string, content: string | Uint8Array): Promise<string> => {
    const unfinished = path.join(out, `.${path.basename(file)}.${randomUUID()}`);
    await writeFile(unfinished, content);
    await rename(unfinished, path.join(out, file));
    const bytes = Buffer.from(content);
    files.push({ path: file, sizeBytes: bytes.length, gzipBytes: gzipSync(bytes).length });
    return file;
  };
  const writeHashed = (name: string, content: string): Promise<string> => {
    const { name: stem, ext } = path.parse(name);
    // In esbuild's own pattern: servers recognise by the name that such a file never changes.
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 8).toUpperCase();
    return write(`${ASSETS}/${stem}-${hash}${ext}`, content);
  };
  const source = (name: string): Promise<string> => readFile(path.join(SOURCE, name), 'utf8');

  const workerPath = fileURLToPath(import.meta.resolve('hls.js/dist/hls.worker.js'));
  const worker = await transform(await readFile(workerPath, 'utf8'), {
    minify: true,
    legalComments: 'none',
  });
  const workerCode = worker.code.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n');
  const workerFile = await writeHashed('hls.worker.js', workerCode);

  const scripts = await build({
    entryPoints: [path.join(SOURCE, 'watch.ts')],
    outdir: path.join(out, ASSETS),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: TARGETS,
    legalComments: 'none',
    define: { HLS_WORKER_FILE: JSON.stringify(`./${path.basename(workerFile)}`) },
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  for (const { path: file, contents } of scripts.outputFiles) {
    await write(`${ASSETS}/${path.basename(file)}`, contents);
  }
  const entry = Object.entries(scripts.metafile.outputs).find(([, { entryPoint }]) =>
    entryPoint?.endsWith('watch/watch.ts'),
  );
  if (!entry) throw new Error('esbuild wrote no entry for watch.ts.');

  const styles = await build({
    entryPoints: [path.join(SOURCE, 'styles.css')],
    outdir: out,
    bundle: true,
    minify: true,
    target: TARGETS,
    write: false,
    logLevel: 'error',
  });
  const values: Readonly<Record<string, string>> = {
    csp: CONTENT_SECURITY_POLICY,
    'watch.ts': `./${ASSETS}/${path.basename(entry[0])}`,
    'styles.css': `./${await writeHashed('styles.css', styles.outputFiles.map(({ text }) => text).join(''))}`,
    'icon.svg': `./${await writeHashed('icon.svg', await source('icon.svg'))}`,
  };
  await write('index.html', fill(await source('index.html'), values));
  await removeOthers(path.join(out, ASSETS), files);
  return files.reverse();
}

async function removeOthers(folder: string, files: readonly BuiltFile[]): Promise<void> {
  const built = new Set(files.map((file) => path.basename(file.path)));
  for (const name of await readdir(folder)) {
    if (!built.has(name)) await rm(path.join(folder, name), { force: true });
  }
}

/** `{{name}}` by its value. */
const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\{\{(.+?)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Error(`index.html asks for {{${name}}}, which the build does not define.`);
    return value;
  });

if (import.meta.main) {
  const outFolder = process.argv[2];
  if (outFolder === undefined) {
    console.error('Usage: node web/build.ts OUT');
    process.exitCode = 2;
  } else {
    console.table(await buildPages(outFolder));
  }
}
