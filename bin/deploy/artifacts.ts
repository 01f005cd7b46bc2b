/** Builds what the CDK app deploys: functions and the workers' image. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGE_FOLDER, makeImageFolder } from '../../containers/worker/bundle.ts';
import { HEALTH_COMMAND } from '../../containers/worker/heartbeat-file.ts';
import { bundleFunctions, FUNCTIONS_FOLDER } from '../../lib/infra/bundling/function-bundles.ts';
import type { Artifacts } from '../../lib/infra/rivulet-app.ts';
import { buildPages, CONTENT_SECURITY_POLICY } from '../../web/build.ts';

/** By the names of their files. */
async function htmlOfPages(): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-pages-'));
  try {
    const files = (await buildPages(folder)).filter(({ path }) => path.endsWith('.html'));
    const texts = files.map(async ({ path }) => [path, await readFile(join(folder, path), 'utf8')]);
    return Object.fromEntries(await Promise.all(texts));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function buildArtifacts(): Promise<Artifacts> {
  const pages = await htmlOfPages();
  await Promise.all([bundleFunctions(undefined, undefined, pages), makeImageFolder()]);
  return {
    bundles: FUNCTIONS_FOLDER,
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    imageFolder: IMAGE_FOLDER,
    healthCommand: HEALTH_COMMAND,
  };
}
