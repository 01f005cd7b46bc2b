/** Rules for the project's own files. Each check returns one line for each violation. */

import { posix } from 'node:path';
import type { RepositoryFile } from './repository-files.ts';

const MAX_LINES = 400;

export const tooLongFiles = (files: readonly RepositoryFile[]): string[] =>
  files.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > MAX_LINES ? [`${path} has ${lines} lines; split it by meaning`] : [];
  });

export const strayTopLevel = (paths: readonly string[], allowed: readonly string[]): string[] =>
  [...new Set(paths.map((path) => path.split('/')[0] ?? ''))]
    .filter((name) => !allowed.includes(name))
    .map((name) => `${name} does not belong on the top level`);

/** Only entry points of processes read the environment; passing all of it to a child is allowed. */
export const environmentReaders = (
  files: readonly RepositoryFile[],
  roots: readonly string[],
): string[] =>
  files.flatMap(({ path, text }) =>
    /(?<!\.\.\.)\bprocess\s*\.\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*(?:=\s*process\b|from\s+'node:process')/.test(
      text,
    ) && !roots.some((root) => path === root || path.startsWith(root))
      ? [`${path} reads the environment; only ${roots.join(', ')} may`]
      : [],
  );

/** Paths that exist on one machine only, and hosts that packages are fetched from. */
const LOCAL_FACTS: readonly RegExp[] = [
  /(?<![\w.:/-])\/(?:work|root)\/[\w.]/,
  /\bregistry\.[a-z0-9-]+\.[a-z]{2,}\b/i,
  /\bhttps?:\/\/(?:[\w-]+\.)*(?:npmjs|yarnpkg|pypi|pythonhosted|crates)\.[a-z]{2,}/i,
  /\b(?:deb|security|proxy|static|files)\.(?:debian|golang|rust-lang|pythonhosted)\.org\b/i,
];

export const localFacts = (files: readonly RepositoryFile[]): string[] =>
  files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        LOCAL_FACTS.some((pattern) => pattern.test(line))
          ? [`${path}:${index + 1}: ${line.trim()}`]
          : [],
      ),
  );

type Manifest = Readonly<{
  scripts?: Readonly<Record<string, string>>;
  dependencies?: Readonly<Record<string, string>>;
  devDependencies?: Readonly<Record<string, string>>;
  optionalDependencies?: Readonly<Record<string, string>>;
}>;

type Lockfile = Readonly<{
  packages: Readonly<
    Record<
      string,
      Readonly<{
        version?: string;
        resolved?: string;
        integrity?: string;
        /** Comes inside the archive of the package around it, and with its digest. */
        inBundle?: boolean;
        optionalDependencies?: Readonly<Record<string, string>>;
      }>
    >
  >;
}>;

export function looseVersions(manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} is not pinned: ${version}`);
}

/**
 * The lockfile names no host and has a digest for everything. It lists every optional package, also
 * those of other platforms: npm leaves out what a registry did not have, and `npm ci` then fails.
 */
export const lockfileFaults = ({ packages }: Lockfile): string[] =>
  Object.entries(packages)
    .filter(([, { inBundle }]) => !inBundle)
    .flatMap(([path, entry]) => [
      ...(entry.resolved === undefined ? [] : [`${path} names a host: ${entry.resolved}`]),
      ...(path === '' || entry.integrity !== undefined ? [] : [`${path} has no integrity`]),
      ...Object.keys(entry.optionalDependencies ?? {})
        .filter(
          (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
        )
        .map((name) => `${name}, optional for ${path || 'the project'}, is missing`),
    ]);

/** Links, paths and npm scripts that a Markdown page names and the project does not have. */
export function brokenReferences(
  page: RepositoryFile,
  paths: readonly string[],
  manifest: Manifest,
): string[] {
  const folder = posix.dirname(page.path);
  const exists = (path: string) =>
    path === '.' || paths.some((known) => known === path || known.startsWith(`${path}/`));
  const topLevel = new Set(paths.map((path) => path.split('/')[0]));
  const prose = page.text.replace(/^```.*?^```/gms, '');

  const links = Array.from(prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g), ([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/i.test(link))
    .filter((link) => !exists(posix.join(folder, link).replace(/\/$/, '')))
    .map((link) => `${page.path} links to ${link}, which does not exist`);

  const named = Array.from(prose.matchAll(/`([^`\s]+)`/g), ([, span = '']) => span)
    .map((span) => span.replace(/^\.\//, '').replace(/#.*$/, ''))
    .filter((span) => span.includes('/') && topLevel.has(span.split('/')[0]))
    .filter((span) => !/[*{}<>…$]/.test(span) && !exists(span.replace(/\/$/, '')))
    .map((span) => `${page.path} names ${span}, which does not exist`);

  const scripts = Array.from(
    page.text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g),
    ([, run, short]) => run ?? short ?? '',
  )
    .filter((name) => manifest.scripts?.[name] === undefined)
    .map((name) => `${page.path} names the npm script ${name}, which does not exist`);

  return [...links, ...named, ...scripts];
}
