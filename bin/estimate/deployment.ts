/** What costs money while idle in a deployment with default options, from its synthesized templates. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import { rivuletApp } from '../../lib/infra/rivulet-app.ts';
import { type IdleResources, idleResources } from './idle-resources.ts';

export function deployedIdleResources(): IdleResources {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-estimate-'));
  try {
    const { app } = rivuletApp(emptyArtifacts(folder), { outdir: join(folder, 'cdk') });
    const stacks = app.node.findAll().filter((node) => node instanceof Stack);
    const templates = stacks.map((stack) => Template.fromStack(stack).toJSON());
    // A queue's logical id begins with those of the constructs that it is in, and with its name.
    return idleResources(templates, (arn) => /Queues(?:Publish)/.test(JSON.stringify(arn)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Empty files under the names that the app expects: nothing is built. */
function emptyArtifacts(folder: string) {
  const bundles = join(folder, 'functions');
  for (const name of Object.keys(FUNCTION_TABLE)) {
    mkdirSync(join(bundles, name), { recursive: true });
    writeFileSync(join(bundles, name, 'index.mjs'), `// ${name}`);
  }
  const imageFolder = join(folder, 'image');
  mkdirSync(imageFolder);
  writeFileSync(join(imageFolder, 'Dockerfile'), 'FROM scratch');
  return {
    bundles,
    imageFolder,
    contentSecurityPolicy: "default-src 'self'",
    healthCommand: 'true',
  };
}
