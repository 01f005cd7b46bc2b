/** Builds the pages: one folder of files that any static server or CDN can serve. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { type IconOptions, iconPng } from './icon-png.ts';

/**
 * Nothing inline, nothing from other hosts, but for media and playlists. Styles are the exception: media-chrome writes `<style>` into the shadow roots of its elements.
 * Servers should send it as a header too; the page has it in a `<meta>` for those that do not.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  // hls.js begins each track of captions with an empty one from a data address.
  "media-src 'self' blob: data: http: https:",
  "worker-src 'self' blob:",
  "connect-src 'self' http: https:",
  "img-src 'self' data: blob:",
  "manifest-src 'self'",
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

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ASSETS = 'assets';

/** HTML, script and style sheet of each page; the one that is written last is the one at `/`. */
const PAGES = [
  { html: 'studio/studio.html', script: 'studio/studio.ts', styles: 'studio/studio.css' },
  { html: 'wall/wall.html', script: 'wall/wall.ts', styles: 'wall/wall.css' },
  { html: 'embed/embed.html', script: 'embed/embed.ts', styles: 'embed/embed.css' },
  { html: 'watch/watch.html', script: 'watch/watch.ts', styles: 'watch/watch.css' },
  { html: 'home/index.html', script: 'home/home.ts', styles: 'home/home.css' },
] as const;

/** For home screens: Android's two sizes, one that any shape may be cut from, and Apple's. */
const PNG_ICONS = {
  'icon-192.png': { sizePx: 192 },
  'icon-512.png': { sizePx: 512 },
  'icon-maskable.png': { sizePx: 512, isMaskable: true },
  'icon-apple.png': { sizePx: 180, isMaskable: true },
} as const satisfies Readonly<Record<string, IconOptions>>;

/** The oldest browsers with the custom elements and CSS that the pages rely on. */
const TARGETS = ['chrome111', 'firefox113', 'safari16.4'];

/**
 * Replaces the contents of `outFolder` with the built pages. Returns its files, pages first. A server
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
  const writeHashed = async (name: string, content: string | Uint8Array): Promise<string> => {
    const { name: stem, ext } = path.parse(name);
    // In esbuild's own pattern: servers recognise by the name that such a file never changes.
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 8).toUpperCase();
    return `/${await write(`${ASSETS}/${stem}-${hash}${ext}`, content)}`;
  };

  const studioWorker = await build({
    entryPoints: [fromHere('studio/studio-worker.ts')],
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: TARGETS,
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  });
  const studioWorkerFile = await writeHashed(
    'studio-worker.js',
    studioWorker.outputFiles[0]?.text ?? '',
  );

  const workerPath = fileURLToPath(import.meta.resolve('hls.js/dist/hls.worker.js'));
  const worker = await transform(await readFile(workerPath, 'utf8'), {
    minify: true,
    legalComments: 'none',
  });
  const workerCode = worker.code.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n');
  const workerFile = await writeHashed('hls.worker.js', workerCode);

  const built = await build({
    entryPoints: PAGES.flatMap(({ script, styles }) => [fromHere(script), fromHere(styles)]),
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
    define: {
      HLS_WORKER_FILE: JSON.stringify(`./${path.basename(workerFile)}`),
      STUDIO_WORKER_FILE: JSON.stringify(`./${path.basename(studioWorkerFile)}`),
    },
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  for (const { path: file, contents } of built.outputFiles) {
    await write(`${ASSETS}/${path.basename(file)}`, contents);
  }
  const addressOf = (source: string): string => {
    const output = Object.entries(built.metafile.outputs).find(([, { entryPoint }]) =>
      entryPoint?.endsWith(source),
    );
    if (!output) throw new Error(`esbuild wrote nothing for ${source}.`);
    return `/${ASSETS}/${path.basename(output[0])}`;
  };
  const svg = await readFile(fromHere('shared/icon.svg'), 'utf8');
  const icons: Record<string, string> = { 'icon.svg': await writeHashed('icon.svg', svg) };
  for (const [name, options] of Object.entries(PNG_ICONS)) {
    icons[name] = await writeHashed(name, iconPng(svg, options));
  }
  const manifest = fill(
    await readFile(fromHere('shared/manifest.webmanifest'), 'utf8'),
    icons,
    'the manifest',
  );
  const manifestFile = await writeHashed('manifest.webmanifest', manifest);
  for (const { html, script, styles } of PAGES) {
    const values: Readonly<Record<string, string>> = {
      csp: CONTENT_SECURITY_POLICY,
      [path.basename(script)]: addressOf(script),
      [path.basename(styles)]: addressOf(styles),
      ...icons,
      'manifest.webmanifest': manifestFile,
    };
    await write(path.basename(html), fill(await withIncludes(fromHere(html)), values, html));
  }
  await removeOthers(path.join(out, ASSETS), files);
  return files.reverse();
}

/** `{{include PATH}}` by that file. */
async function withIncludes(file: string): Promise<string> {
  const parts = (await readFile(file, 'utf8')).split(/^ *\{\{include (.+?)\}\}\n/m);
  const texts = parts.map((part, index) =>
    index % 2 === 0 ? part : readFile(fromHere(part), 'utf8'),
  );
  return (await Promise.all(texts)).join('');
}

async function removeOthers(folder: string, files: readonly BuiltFile[]): Promise<void> {
  const built = new Set(files.map((file) => path.basename(file.path)));
  for (const name of await readdir(folder)) {
    if (!built.has(name)) await rm(path.join(folder, name), { force: true });
  }
}

/** `{{name}}` by its value. */
const fill = (text: string, values: Readonly<Record<string, string>>, page: string): string =>
  text.replaceAll(/\{\{(.+?)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Error(`${page} asks for {{${name}}}, which the build does not define.`);
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
