/** Programs that are no npm packages: ffmpeg, and for the tests a browser and MediaInfo. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { runQuietly, say } from './child.mjs';
import { isProgram } from './machine.mjs';
import { fileMark, readStamp, writeStamp } from './stamp.mjs';

/**
 * @typedef {'ffmpeg' | 'chromium' | 'mediainfo'} ProgramName
 * @typedef {{ state: 'good', path: string } | { state: 'missing' } | { state: 'unfit', why: string }} Finding
 * @typedef {import('./machine.mjs').Machine} Machine
 */

/** libavcodec of ffmpeg 5.1. Builds from git have no other number. */
const MIN_LIBAVCODEC = [59, 37];

/** @type {Record<ProgramName, { required: boolean, title: string, without: string }>} */
const PROGRAMS = {
  ffmpeg: { required: true, title: 'ffmpeg 5.1 or newer with libx264', without: '' },
  chromium: {
    required: false,
    title: 'Chrome or Chromium',
    without: 'Without it the tests that need a browser are skipped.',
  },
  mediainfo: {
    required: false,
    title: 'MediaInfo',
    without: 'Without it the tests that compare with it are skipped.',
  },
};

/** @type {Record<import('./machine.mjs').System, (name: ProgramName) => string>} */
const INSTALL_COMMAND = {
  debian: (name) => `sudo apt-get update && sudo apt-get install -y ${name}`,
  // Ubuntu's chromium package only calls for the snap, which neither root in a container nor CI can use.
  ubuntu: (name) =>
    name === 'chromium'
      ? "install Google's .deb from https://www.google.com/chrome (Ubuntu's chromium package is a snap)"
      : `sudo apt-get update && sudo apt-get install -y ${name}`,
  fedora: (name) =>
    name === 'ffmpeg'
      ? 'sudo dnf install --allowerasing ffmpeg    (from RPM Fusion, https://rpmfusion.org)'
      : `sudo dnf install ${name}`,
  arch: (name) => `sudo pacman -S ${name}`,
  alpine: (name) => `sudo apk add ${name}`,
  suse: (name) => `sudo zypper install ${name === 'ffmpeg' ? 'ffmpeg-7' : name}`,
  macos: (name) =>
    name === 'ffmpeg'
      ? 'brew install ffmpeg'
      : `brew install ${name === 'chromium' ? '--cask google-chrome' : 'media-info'}`,
  windows: (name) =>
    `winget install ${{ ffmpeg: 'Gyan.FFmpeg', chromium: 'Google.Chrome', mediainfo: 'MediaArea.MediaInfo' }[name]}`,
  other: (name) => `install ${name} with your package manager, so that it is on PATH`,
};

/**
 * What to do about the programs. Pure.
 * @param {Machine} machine
 * @param {Partial<Record<ProgramName, Finding>>} findings
 * @returns {{ install: ProgramName[], problems: string[], notices: string[] }}
 *   `install`: Debian packages that may be installed without asking; `problems` stop the task.
 */
export function planPrograms(machine, findings, mayInstall = true) {
  const isApt = machine.system === 'debian' || machine.system === 'ubuntu';
  /** @type {ReturnType<typeof planPrograms>} */
  const plan = { install: [], problems: [], notices: [] };
  for (const [key, finding] of Object.entries(findings)) {
    if (finding.state === 'good') continue;
    const name = /** @type {ProgramName} */ (key);
    const snapOnly = machine.system === 'ubuntu' && name === 'chromium';
    if (mayInstall && machine.isRoot && isApt && !snapOnly && machine.find('apt-get')) {
      plan.install.push(name);
      continue;
    }
    const program = PROGRAMS[name];
    const found = finding.state === 'unfit' ? finding.why : 'none was found';
    const message = [
      `${program.title} is ${program.required ? 'needed' : 'wanted'}; ${found}. To get it:`,
      `  ${INSTALL_COMMAND[machine.system](name)}`,
      program.required ? 'Then run the same command again.' : program.without,
    ].join('\n');
    (program.required ? plan.problems : plan.notices).push(message);
  }
  return plan;
}

/**
 * Whether an ffmpeg is good enough, from what `ffmpeg -version` prints.
 * @param {string} output
 * @returns {string | undefined} What is wrong with it.
 */
export function ffmpegFault(output) {
  const version = output.match(/^ffmpeg version (\S+)/m)?.[1];
  const [, major, minor] = output.match(/^libavcodec\s+(\d+)\.\s*(\d+)\./m)?.map(Number) ?? [];
  if (version === undefined || major === undefined || minor === undefined) {
    return 'the one on PATH does not start';
  }
  const [minMajor = 0, minMinor = 0] = MIN_LIBAVCODEC;
  if (major < minMajor || (major === minMajor && minor < minMinor)) {
    return `the one on PATH is ${version}`;
  }
  return output.includes('--enable-libx264')
    ? undefined
    : `the one on PATH (${version}) has no libx264`;
}

/**
 * @param {string} root
 * @param {Machine} machine
 * @param {readonly ProgramName[]} names
 * @returns {Promise<Partial<Record<ProgramName, Finding>>>}
 */
export async function surveyPrograms(root, machine, names) {
  /** @type {Partial<Record<ProgramName, Finding>>} */
  const findings = {};
  for (const name of names) {
    const path = name === 'chromium' ? findBrowser(machine) : machine.find(name);
    if (path === undefined) findings[name] = { state: 'missing' };
    else if (name === 'ffmpeg') findings[name] = await examineFfmpeg(root, path);
    else findings[name] = { state: 'good', path };
  }
  return findings;
}

/**
 * Starting ffmpeg takes more than a tenth of a second: the verdict on one file is remembered.
 * @param {string} root
 * @param {string} path
 * @returns {Promise<Finding>}
 */
async function examineFfmpeg(root, path) {
  const mark = fileMark(path);
  if (readStamp(root).programs?.ffmpeg === mark) return { state: 'good', path };
  const why = ffmpegFault((await runQuietly(path, ['-version'])).output);
  if (why !== undefined) return { state: 'unfit', why };
  if (existsSync(join(root, 'node_modules'))) writeStamp(root, { programs: { ffmpeg: mark } });
  return { state: 'good', path };
}

/**
 * The browser's binary, on PATH or where its installer puts it.
 * @param {Machine} machine
 */
function findBrowser(machine, env = process.env) {
  const names = ['chromium', 'google-chrome', 'google-chrome-stable', 'chrome'];
  // On Ubuntu `chromium-browser` only starts the snap.
  if (machine.system !== 'ubuntu') names.push('chromium-browser');
  const mac = ['Google Chrome', 'Chromium'].map(
    (app) => `/Applications/${app}.app/Contents/MacOS/${app}`,
  );
  const windows = [env.ProgramFiles, env['ProgramFiles(x86)'], env.LOCALAPPDATA]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'));
  const known = { macos: mac, windows }[/** @type {string} */ (machine.system)] ?? [];
  const candidates = [env.CHROMIUM, ...names.map((name) => machine.find(name)), ...known];
  return candidates.find((path) => path !== undefined && isProgram(path));
}

/**
 * Prints what went wrong, if anything; whether the programs are there now takes another survey.
 * @param {readonly ProgramName[]} names
 */
export async function aptInstall(names) {
  say(`Installing ${names.join(', ')} (apt-get) …`);
  const startMs = Date.now();
  const env = { ...process.env, DEBIAN_FRONTEND: process.env.DEBIAN_FRONTEND ?? 'noninteractive' };
  const apt = (/** @type {string[]} */ ...args) =>
    runQuietly('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  const install = (/** @type {readonly string[]} */ packages) =>
    apt('install', '-y', '--no-install-recommends', ...packages);
  // One broken source must not block the others: what counts is whether the install works.
  const update = await apt('update');
  if ((await install(names)).code !== 0) {
    if (update.code !== 0) say(update.output.trim());
    // One by one: a release may have the one and lack the other.
    for (const name of names) {
      const { code, output } = await install([name]);
      if (code !== 0) say(output.trim());
    }
  }
  say(`That took ${((Date.now() - startMs) / 1000).toFixed(1)} s.`);
}
