/** The files that belong to the project: what git tracks or would, or all but the made ones without git. */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** `path` from the root, with `/`. */
export type RepositoryFile = Readonly<{ path: string; text: string }>;

const MADE = ['node_modules', '.git', '.rivulet', 'dist', 'cdk.out'];

export const repositoryPaths = (): string[] =>
  (existsSync(join(ROOT, '.git')) ? gitPaths() : allPaths())
    .filter((path) => statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile())
    .sort();

export const readRepository = (wanted: RegExp): RepositoryFile[] =>
  repositoryPaths()
    .filter((path) => wanted.test(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

const gitPaths = (): string[] =>
  // A clone may belong to another user than the one who runs its tests.
  execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 },
  )
    .split('\0')
    .filter((path) => path !== '');

const allPaths = (): string[] =>
  globSync('{*,.[!.]*}{,/**}', { cwd: ROOT, exclude: (name) => MADE.includes(name) }).map((path) =>
    path.replaceAll('\\', '/'),
  );
