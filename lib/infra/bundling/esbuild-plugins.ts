/** Keeps parts of packages out of the functions' bundles that esbuild cannot know to be unused. */

import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** Clients import the whole of their package.json for their version. */
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
 * Clients describe every shape of their service, with keys whose names are constants of the same
 * file. To esbuild such a computed key might have side effects, so it keeps the shapes that nothing
 * uses: 50 KB of S3 alone. As literals they go.
 */
const literalKeys: Plugin = {
  name: 'literal-keys',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]client-[a-z0-9-]+[\\/]dist-es[\\/]schemas[\\/]/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const constants = text.matchAll(/^const (_\w+) = ("\w+");$/gm);
      const values = new Map([...constants].map(([, name, value]) => [name, value]));
      const contents = text.replaceAll(/\[(_\w+)\]:/g, (key, name) => {
        const value = values.get(name);
        return value === undefined ? key : `${value}:`;
      });
      return { contents, loader: 'js' };
    });
  },
};

/**
 * Packages import dynamically what other surroundings need (browsers, event streams), and kinds of jobs
 * what only a worker runs.
 */
const unusedChunks: Plugin = {
  name: 'unused-chunks',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, importer, path }) =>
      kind === 'dynamic-import' && /node_modules|[\\/]pipeline[\\/]jobs[\\/]/.test(importer)
        ? { path, external: true }
        : undefined,
    );
  },
};

export const BUNDLE_PLUGINS: Plugin[] = [onlyVersions, literalKeys, unusedChunks];
