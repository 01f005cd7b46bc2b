/**
 * Runs one of the project's tasks, on a fresh clone after setting it up. Plain JavaScript, as are
 * bin/setup and what that imports: it runs on any Node.js that package.json's engines allow, which
 * may be older than the one that the set-up installs for the tasks themselves.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runForeground, SetupError, say } from './setup/child.mjs';
import { setUp } from './setup/set-up.mjs';

const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const CDK = 'node_modules/aws-cdk/bin/cdk';
const TSC = 'node_modules/typescript/bin/tsc';

const CHECK = [
  [BIOME, 'check', '--error-on-warnings'],
  [TSC, '-p', 'tsconfig.json'],
  [TSC, '-p', 'web/tsconfig.json'],
];

/**
 * `steps`: scripts with their arguments, run one after the other until one fails. The arguments of
 * the command line are for the last.
 * @typedef {{ programs: import('./setup/programs.mjs').ProgramName[], steps: string[][] }} Task
 */

/** @type {Record<string, Task>} */
const TASKS = {
  start: { programs: ['ffmpeg'], steps: [['bin/start.ts']] },
  encoder: { programs: ['ffmpeg'], steps: [['bin/encoder.ts']] },
  cameras: { programs: ['ffmpeg'], steps: [['bin/cameras.ts']] },
  test: { programs: ['ffmpeg', 'chromium', 'mediainfo'], steps: [...CHECK, ['test/run.ts']] },
  bench: { programs: ['ffmpeg', 'chromium'], steps: [['test/bench/main.ts']] },
  fuzz: { programs: ['ffmpeg'], steps: [['test/fuzz/main.ts']] },
  players: { programs: ['ffmpeg', 'chromium'], steps: [['test/players/main.ts']] },
  screenshot: { programs: ['ffmpeg', 'chromium'], steps: [['test/support/screenshot.ts']] },
  'test:aws': {
    programs: ['ffmpeg', 'chromium'],
    steps: [['test/run.ts', 'test/aws', 'test/e2e/deployed']],
  },
  bootstrap: { programs: [], steps: [[CDK, 'bootstrap']] },
  synth: { programs: [], steps: [[CDK, 'synth', '--quiet']] },
  deploy: { programs: [], steps: [['bin/deploy/deploy.ts']] },
  destroy: { programs: [], steps: [['bin/deploy/destroy.ts']] },
  estimate: { programs: ['ffmpeg'], steps: [['bin/estimate/estimate.ts']] },
  check: { programs: [], steps: CHECK },
  format: { programs: [], steps: [[BIOME, 'check', '--write']] },
};

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string | undefined} name
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
async function runTask(name, args) {
  const task = Object.entries(TASKS).find(([key]) => key === name)?.[1];
  if (!task) {
    throw new SetupError(
      `There is no task "${name ?? ''}". Tasks: ${Object.keys(TASKS).join(', ')}.`,
    );
  }
  const { node, env } = await setUp(root, task.programs);
  for (const [index, step] of task.steps.entries()) {
    const [script = '', ...ownArgs] = step;
    const rest = index === task.steps.length - 1 ? args : [];
    const code = await runForeground(node, [join(root, script), ...ownArgs, ...rest], {
      env,
      cwd: root,
    });
    if (code !== 0) return code;
  }
  return 0;
}

try {
  process.exitCode = await runTask(process.argv[2], process.argv.slice(3));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
