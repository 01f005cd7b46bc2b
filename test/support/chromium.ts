/** A real browser for tests: whichever Chrome or Chromium the machine has. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

const MAC_APPS = ['Google Chrome', 'Chromium', 'Google Chrome for Testing', 'Microsoft Edge'];

const WINDOWS_PATHS = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];

/** No sandbox: containers have no user namespaces. The rest keeps it quiet and off the network. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

type Surroundings = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  isExecutable(path: string): boolean;
}>;

const HERE: Surroundings = { env: process.env, platform: process.platform, isExecutable };

/** Path of a browser: what `CHROMIUM` names, else the first of the usual places; undefined if there is none. */
export function findChromium({
  env,
  platform,
  isExecutable,
}: Surroundings = HERE): string | undefined {
  if (env.CHROMIUM) return env.CHROMIUM;
  return usualPaths(env, platform).find(isExecutable);
}

function usualPaths(env: Surroundings['env'], platform: NodeJS.Platform): string[] {
  if (platform === 'win32') {
    return [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].flatMap((folder) =>
      folder ? WINDOWS_PATHS.map((path) => `${folder}\\${path}`) : [],
    );
  }
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin', '/snap/bin'];
  const onPath = folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  if (platform !== 'darwin') return onPath;
  const homes = ['', env.HOME ?? ''];
  const apps = homes.flatMap((home) =>
    MAC_APPS.map((app) => `${home}/Applications/${app}.app/Contents/MacOS/${app}`),
  );
  return [...apps, ...onPath];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * For `describe` and `test`: why they are skipped, or false. With `CI=true` a missing browser is no
 * excuse: then the tests run, and `launchChromium` fails.
 */
export const withoutChromium = (): string | false =>
  findChromium() === undefined && process.env.CI !== 'true'
    ? 'no Chrome or Chromium found; install one, or name it in CHROMIUM'
    : false;

/** A browser with an empty profile of its own. */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error('No Chrome or Chromium found; install one, or name it in CHROMIUM.');
  }
  return chromium.launch({ executablePath, headless: true, args: [...ARGUMENTS, ...more] });
}
