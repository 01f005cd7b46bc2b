/** Builds an image where no container engine is: a stage is a folder, and its steps run by chroot. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** That of engines, for images which set none. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A root folder, and what is set for processes in it. */
export type Image = Readonly<{
  root: string;
  /** `uid:gid` */
  user: string;
  env: Readonly<Record<string, string>>;
  volumes: readonly string[];
  entrypoint: readonly string[];
  /** For `sh`. */
  healthCommand: string;
}>;

export type BuildOptions = Readonly<{
  /** Folder of the Dockerfile and of what it copies. */
  context: string;
  /** Empty, on the file system of the context. */
  folder: string;
  /** By their tags: each fills an empty root. */
  bases: Readonly<Record<string, (root: string) => Promise<void>>>;
  /** In place of a RUN step that calls apt-get. */
  install(command: string, root: string): Promise<void>;
}>;

type Instruction = Readonly<{ keyword: string; value: string }>;

function parse(dockerfile: string): Instruction[] {
  const lines = dockerfile.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line));
  const joined = lines.join('\n').replaceAll('\\\n', '').split('\n');
  return joined.map((line) => {
    const [, keyword = '', value = ''] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? assert.fail(line);
    return { keyword, value };
  });
}

/** The last stage, and the roots of those that have names. Throws at what it does not know. */
export async function buildImage(
  options: BuildOptions,
): Promise<Readonly<{ image: Image; stages: ReadonlyMap<string, string> }>> {
  const stages = new Map<string, string>();
  let image: Image | undefined;
  let count = 0;
  const dockerfile = await readFile(join(options.context, 'Dockerfile'), 'utf8');
  for (const { keyword, value } of parse(dockerfile)) {
    if (keyword === 'FROM') {
      const [, base = '', name = ''] = /^(\S+)(?: AS (\S+))?$/.exec(value) ?? assert.fail(value);
      count += 1;
      const root = join(options.folder, `stage-${count}`);
      await mkdir(root);
      const known = Object.keys(options.bases).join(' and ');
      const fill = options.bases[base] ?? assert.fail(`there is no ${base} here, but ${known}`);
      await fill(root);
      if (name) stages.set(name, root);
      image = {
        ...{ root, user: '0:0', env: {}, volumes: [] },
        ...{ entrypoint: [], healthCommand: '' },
      };
      continue;
    }
    assert.ok(image, `${keyword} before FROM`);
    image = { ...image, ...(await carryOut({ keyword, value }, image, stages, options)) };
  }
  assert.ok(image, 'no FROM');
  return { image, stages };
}

/** What the instruction changes of the image, beside the files in its root. */
async function carryOut(
  { keyword, value }: Instruction,
  image: Image,
  stages: ReadonlyMap<string, string>,
  { context, install }: BuildOptions,
): Promise<Partial<Image>> {
  switch (keyword) {
    case 'RUN':
      if (/^apt-get\b/.test(value)) await install(value, image.root);
      else await runStep(value, image);
      return {};
    case 'COPY':
      await copy(value, image.root, context, stages);
      return {};
    case 'ENV': {
      const pairs = value.split(/\s+/).map((pair) => pair.split('='));
      return { env: { ...image.env, ...Object.fromEntries(pairs) } };
    }
    case 'USER':
      return { user: value };
    case 'VOLUME':
      return { volumes: JSON.parse(value) };
    case 'ENTRYPOINT':
      return { entrypoint: JSON.parse(value) };
    case 'HEALTHCHECK': {
      const [, healthCommand = ''] = /^(?:--\S+\s+)*CMD\s+(.+)$/.exec(value) ?? assert.fail(value);
      return { healthCommand };
    }
    default:
      return assert.fail(`${keyword} is not known here`);
  }
}

async function runStep(command: string, image: Image): Promise<void> {
  const { code, output } = await runInside(image, ['/bin/sh', '-c', command]);
  assert.equal(code, 0, `${command}\n${output}`);
}

async function copy(
  value: string,
  root: string,
  context: string,
  stages: ReadonlyMap<string, string>,
): Promise<void> {
  const [, stage, sources = '', target = ''] =
    /^(?:--from=(\S+)\s+)?(\S+(?:\s+\S+)*)\s+(\S+)$/.exec(value) ?? assert.fail(value);
  const from = stage === undefined ? context : stages.get(stage);
  assert.ok(from, `there is no stage ${stage}`);
  const to = join(root, target);
  const intoFolder = target.endsWith('/');
  for (const source of sources.split(/\s+/)) {
    // A folder's name ends with a slash, and its content is copied. Links, as nothing changes later.
    const isFolder = source.endsWith('/');
    await mkdir(isFolder || intoFolder ? to : dirname(to), { recursive: true });
    const path = isFolder ? `${join(from, source)}.` : join(from, source);
    await run('cp', ['--archive', '--link', '--force', path, to]);
  }
}

type Inside = Pick<Image, 'root' | 'user' | 'env'>;

/** With the rights of its user and no environment but its own. There is no /proc in it. */
export const startInside = (
  { root, user, env }: Inside,
  command: readonly string[],
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } =>
  spawn('chroot', [`--userspec=${user}`, '--groups=', root, ...command], {
    cwd: '/',
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

export async function runInside(
  inside: Inside,
  command: readonly string[],
): Promise<Readonly<{ code: number | null; output: string }>> {
  const child = startInside(inside, command);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, out, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  return { code, output: out + errors };
}
