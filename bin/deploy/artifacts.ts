/** Builds what the CDK app deploys: functions and the workers' image. */

import { IMAGE_FOLDER, makeImageFolder } from '../../containers/worker/bundle.ts';
import { HEALTH_COMMAND } from '../../containers/worker/heartbeat-file.ts';
import { bundleFunctions, FUNCTIONS_FOLDER } from '../../lib/infra/bundling/function-bundles.ts';
import type { Artifacts } from '../../lib/infra/rivulet-app.ts';
import { CONTENT_SECURITY_POLICY } from '../../web/build.ts';

export async function buildArtifacts(): Promise<Artifacts> {
  await Promise.all([bundleFunctions(), makeImageFolder()]);
  return {
    bundles: FUNCTIONS_FOLDER,
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    imageFolder: IMAGE_FOLDER,
    healthCommand: HEALTH_COMMAND,
  };
}
