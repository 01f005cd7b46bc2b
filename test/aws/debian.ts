/** Roots of Debian, made of the packages that this machine has: neither downloads nor mounts. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const run = async (program: string, args: readonly string[], env = {}): Promise<string> => {
  const options = { env: { ...process.env, LC_ALL: 'C', ...env }, maxBuffer: 64 * 1024 * 1024 };
  return (await execute(program, args, options)).stdout;
};

/** The one of the image's base. */
const RELEASE = 'bookworm';

/** As `debian:bookworm-slim` leaves them out. */
const LEFT_OUT = /^\/usr\/share\/(?:doc|info|linda|lintian|locale|man)\//;

const ALTERNATIVES = '/var/lib/dpkg/alternatives';

/** Why roots cannot be made here; nothing if they can. */
export async function lackForRoots(): Promise<string | undefined> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!release.includes(`VERSION_CODENAME=${RELEASE}\n`)) {
    return `it needs Debian ${RELEASE}, which the image is made of`;
  }
  const works = (program: string, ...args: string[]) =>
    run(program, args).then(
      () => true,
      () => false,
    );
  if (!(await works('chroot', '/', 'true'))) return 'it needs the rights of root, for chroot';
  if (!(await works('dpkg', '--status', 'ffmpeg'))) return "it needs Debian's package ffmpeg";
  return undefined;
}

type Package = Readonly<{
  name: string;
  architecture: string;
  isRequired: boolean;
  /** In an index of packages. */
  entry: string;
}>;

type Packages = ReadonlyMap<string, Package>;

export type Debian = Readonly<{
  /** Names of the packages that a new root begins with. */
  base: readonly string[];
  /** Names of those that a command with apt-get would add to those that are installed. */
  wouldInstall(command: string, installed: readonly string[]): Promise<readonly string[]>;
  /** Adds their files to a root, and of what their scripts do, the links and the cache for the loader. */
  unpack(names: readonly string[], root: string): Promise<void>;
}>;

/** `folder`: for apt, empty. */
export async function openDebian(folder: string): Promise<Debian> {
  const packages = await installedPackages();
  const select = (names: readonly string[]) =>
    names.map((name) => packages.get(name) ?? assert.fail(`${name} is not installed here`));
  const config = await setUpApt(folder, [...packages.values()]);
  const wouldInstall = async (command: string, installed: readonly string[]) => {
    await writeFile(join(folder, 'status'), index(select(installed)));
    const said = await run('sh', ['-c', command], { APT_CONFIG: config });
    return Array.from(said.matchAll(/^Inst (\S+)/gm), ([, name = '']) => name);
  };
  // As debootstrap does it for its smallest variant.
  const required = [...packages.values()].filter(({ isRequired }) => isRequired);
  const names = [...required.map(({ name }) => name), 'apt'].join(' ');
  const base = await wouldInstall(
    `apt-get update && apt-get install -y --no-install-recommends ${names}`,
    [],
  );
  return { base, wouldInstall, unpack: (names, root) => unpack(select(names), root) };
}

/** Those of the machine's own architecture. */
async function installedPackages(): Promise<Packages> {
  const own = (await run('dpkg', ['--print-architecture'])).trim();
  const status = await readFile('/var/lib/dpkg/status', 'utf8');
  const packages = status.split(/\n{2,}/).flatMap((entry): Package[] => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(entry)?.[1] ?? '';
    const [name, architecture] = [field('Package'), field('Architecture')];
    const isOurs = [own, 'all'].includes(architecture) && field('Status').endsWith(' installed');
    const isRequired = field('Priority') === 'required';
    return isOurs ? [{ name, architecture, isRequired, entry }] : [];
  });
  return new Map(packages.map((entry) => [entry.name, entry]));
}

const index = (packages: readonly Package[]): string =>
  packages.map(({ entry }) => `${entry}\n\n`).join('');

/** Path of settings with which apt knows an archive of these packages, and only says what it would do. */
async function setUpApt(folder: string, packages: readonly Package[]): Promise<string> {
  const folders = ['archive', 'archives/partial', 'lists/partial', 'apt.conf.d', 'preferences.d'];
  for (const name of folders) await mkdir(join(folder, name), { recursive: true });
  // apt asks where it would find a package, even if it does not fetch it.
  const archived = index(packages).replace(/^Version: /gm, 'Filename: none\nSize: 1\n$&');
  await writeFile(join(folder, 'archive', 'Packages'), archived);
  const source = `deb [trusted=yes] file:${join(folder, 'archive')} ./\n`;
  await writeFile(join(folder, 'sources.list'), source);
  const settings = {
    'Dir::State': folder,
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'Dir::Etc': folder,
    'APT::Sandbox::User': 'root',
    'APT::Get::Simulate': 'true',
  };
  const config = join(folder, 'apt.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  await writeFile(config, lines.join(''));
  return config;
}

async function unpack(packages: readonly Package[], root: string): Promise<void> {
  await linkMergedFolders(root);
  const names = packages.map(({ name, architecture }) => `${name}:${architecture}`);
  const listed = new Set((await run('dpkg', ['--listfiles', ...names])).split('\n'));
  const paths = [...listed].filter(
    (path) => path.startsWith('/') && !LEFT_OUT.test(path) && lstatSync(path, NO_ERROR),
  );
  const list = `${root}.files`;
  await writeFile(list, paths.map((path) => `${path.slice(1) || '.'}\n`).join(''));
  const pack = 'tar --create --directory=/ --no-recursion --files-from="$1"';
  const extract = 'tar --extract --directory="$2" --keep-directory-symlink';
  await run('bash', ['-o', 'pipefail', '-c', `${pack} | ${extract}`, 'unpack', list, root]);
  await rm(list);
  await linkAlternatives(root);
  await run('ldconfig', ['-r', root]);
}

const NO_ERROR = { throwIfNoEntry: false } as const;

/** `/bin`, `/lib` and the like are links, which belong to no package. */
async function linkMergedFolders(root: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const isLink = lstatSync(join('/', name), NO_ERROR)?.isSymbolicLink();
    if (!isLink || lstatSync(join(root, name), NO_ERROR)) continue;
    const target = await readlink(join('/', name));
    await mkdir(join(root, target), { recursive: true });
    await symlink(target, join(root, name));
  }
}

/** As packages register themselves: for a common name, as `awk`, the best of those that are there. */
async function linkAlternatives(root: string): Promise<void> {
  for (const name of await readdir(ALTERNATIVES)) {
    const [head = '', ...choices] = (await readFile(join(ALTERNATIVES, name), 'utf8')).split(
      '\n\n',
    );
    const [, link = '', ...others] = head.split('\n');
    // Beside the path and priority of each choice stands a path for each other link of the group.
    const size = 2 + others.length / 2;
    const lines = choices.join('\n\n').split('\n');
    const best = lines
      .flatMap((path, line) =>
        line % size === 0 && path !== '' && existsSync(join(root, path))
          ? [{ path, priority: Number(lines[line + 1]) }]
          : [],
      )
      .sort((a, b) => b.priority - a.priority)[0];
    if (best === undefined) continue;
    await mkdir(dirname(join(root, link)), { recursive: true });
    await rm(join(root, link), { force: true });
    await symlink(best.path, join(root, link));
  }
}
