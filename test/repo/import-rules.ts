/** Finds imports that a table of allowed ones does not have. */

import { posix } from 'node:path';
import type { RepositoryFile } from './repository-files.ts';

/** What the files of one area may import beside each other. */
export type ImportRule = Readonly<{
  /** Other areas, by their folder or file. */
  areas?: readonly string[] | 'all';
  /** Areas of which only types may be imported. */
  types?: readonly string[];
  packages?: readonly string[] | 'all';
  node?: readonly string[] | 'all';
}>;

export type ImportTable = Readonly<Record<string, ImportRule>>;

type Import = Readonly<{ specifier: string; typeOnly: boolean }>;

/** Biome's formatting puts every static import and re-export at the start of a line. */
const STATIC = /^(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]*?\sfrom\s+)?'([^'\n]+)'/gm;
const DYNAMIC = /\bimport\(\s*['"`]([^'"`\n]+)['"`]/g;

export function importsOf(source: string): Import[] {
  const code = source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  return [
    ...Array.from(code.matchAll(STATIC), ([statement, type, specifier = '']) => ({
      specifier,
      typeOnly: type !== undefined || hasOnlyTypes(statement),
    })),
    ...Array.from(code.matchAll(DYNAMIC), ([, specifier = '']) => ({ specifier, typeOnly: false })),
  ];
}

function hasOnlyTypes(statement: string): boolean {
  const names = statement.match(/^(?:import|export)\s*\{([^}]*)\}/)?.[1]?.split(',') ?? [];
  const given = names.map((name) => name.trim()).filter((name) => name !== '');
  return given.length > 0 && given.every((name) => name.startsWith('type '));
}

/** One line for each import that is not allowed, and for each file that the table does not know. */
export function forbiddenImports(table: ImportTable, files: readonly RepositoryFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const area = areaOf(table, path);
    const rule = area === undefined ? undefined : table[area];
    if (area === undefined || rule === undefined) return [`${path} is in no area of the table`];
    return importsOf(text)
      .filter((found) => !isAllowed(table, area, rule, path, found))
      .map(({ specifier }) => `${path} must not import ${specifier}`);
  });
}

function isAllowed(
  table: ImportTable,
  area: string,
  rule: ImportRule,
  path: string,
  { specifier, typeOnly }: Import,
): boolean {
  const has = (list: readonly string[] | 'all' = [], name: string | undefined): boolean =>
    list === 'all' ? name !== undefined : name !== undefined && list.includes(name);
  if (specifier.startsWith('node:')) return has(rule.node, specifier);
  if (!specifier.startsWith('.')) return has(rule.packages, packageName(specifier));
  const target = areaOf(table, posix.join(posix.dirname(path), specifier));
  if (target === 'test') return area === 'test';
  return target === area || has(rule.areas, target) || (typeOnly && has(rule.types, target));
}

/** The longest row that a path is or lies in. */
const areaOf = (table: ImportTable, path: string): string | undefined =>
  Object.keys(table)
    .filter((area) => path === area || path.startsWith(`${area}/`))
    .sort((a, b) => b.length - a.length)[0];

const packageName = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
