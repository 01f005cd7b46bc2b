/** Makes a clone ready for a task: packages and programs. Takes a few milliseconds when it is. */

import { delimiter, dirname } from 'node:path';

import { SetupError, say } from './child.mjs';
import { lockPath, withLock } from './lock.mjs';
import { thisMachine } from './machine.mjs';
import { chooseNode } from './node.mjs';
import { installPackages, packagesAreInstalled } from './packages.mjs';
import { aptInstall, planPrograms, surveyPrograms } from './programs.mjs';

/**
 * @param {string} root The clone.
 * @param {readonly import('./programs.mjs').ProgramName[]} programs Needed by the task beside packages.
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} What to run the task with.
 */
export async function setUp(root, programs) {
  const machine = thisMachine();
  let findings = await surveyPrograms(root, machine, programs);
  let plan = planPrograms(machine, findings);
  if (!packagesAreInstalled(root) || plan.install.length > 0) {
    // Problems that cannot be solved here are reported before anything is installed.
    failOn(plan.problems);
    await withLock(lockPath(root), async () => {
      if (!packagesAreInstalled(root)) await installPackages(root, machine);
      const { install } = planPrograms(machine, await surveyPrograms(root, machine, programs));
      if (install.length > 0) await aptInstall(install);
    });
    findings = await surveyPrograms(root, machine, programs);
    plan = planPrograms(machine, findings, false);
  }
  failOn(plan.problems);
  for (const notice of plan.notices) say(notice);

  const node = chooseNode(root);
  const path = process.env.PATH ?? process.env.Path ?? '';
  // So that tools that begin with `#!/usr/bin/env node` run on the same Node as the task.
  const env = { ...process.env, PATH: [dirname(node), path].join(delimiter) };
  const { chromium } = findings;
  return { node, env: chromium?.state === 'good' ? { ...env, CHROMIUM: chromium.path } : env };
}

/** @param {readonly string[]} problems */
function failOn(problems) {
  if (problems.length > 0) throw new SetupError(problems.join('\n'));
}
