/** Installs MiniStack into a folder of the project's own, once for each list of its packages. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/ministack', import.meta.url));
const OLDEST_PYTHON = [3, 10];

/** There is no Python at all, so that the tests which need MiniStack cannot run. */
export class NoPythonError extends Error {}

/** Path of a Python that has MiniStack. Throws what is missing and how to get it. */
export async function installMiniStack(): Promise<string> {
  const requirements = await readFile(REQUIREMENTS, 'utf8');
  const version = await pythonVersion();
  const mark = createHash('sha256').update(`${version}\n${requirements}`).digest('hex');
  const folder = join(CACHE, mark.slice(0, 16));
  const python = join(folder, 'bin', 'python');
  if (existsSync(folder)) return python;
  await mkdir(CACHE, { recursive: true });
  // Others may install at the same time: each into a draft, and the first one stays.
  const draft = `${folder}-${process.pid}`;
  try {
    await run(
      ['python3', '-m', 'venv', draft],
      "Python's venv is missing. To get it: sudo apt-get install -y python3-venv",
    );
    const install = ['-m', 'pip', 'install', '--no-deps', '--quiet', '-r', REQUIREMENTS];
    await run([join(draft, 'bin', 'python'), ...install], 'MiniStack could not be installed.');
    await rename(draft, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return python;
}

/** MiniStack makes its certificate with it. Throws how to get it. */
export async function findOpenSsl(): Promise<void> {
  await run(
    ['openssl', 'version'],
    'OpenSSL is missing. To get it: sudo apt-get install -y openssl',
  );
}

async function pythonVersion(): Promise<string> {
  const advice =
    'MiniStack needs Python 3.10 or newer. To get it: sudo apt-get install -y python3-venv';
  const text = await run(['python3', '--version'], advice).catch((error) => {
    throw isMissing(error.cause) ? new NoPythonError(advice) : error;
  });
  const [, major = 0, minor = 0] = text.match(/(\d+)\.(\d+)/)?.map(Number) ?? [];
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_PYTHON;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(`${advice} Found: ${text.trim()}`);
  }
  return text.trim();
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

function run([program = '', ...args]: readonly string[], advice: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.once('error', (cause) => reject(new Error(advice, { cause })));
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${advice}\n${output.trim()}`));
    });
  });
}
