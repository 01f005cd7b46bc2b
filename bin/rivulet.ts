/** The CDK app: builds what is deployed, reads the options from the context, makes one stage's stacks. */

import { IMAGE_FOLDER, makeImageFolder } from '../containers/transcoder/bundle.ts';
import { HEALTH_COMMAND } from '../containers/transcoder/sign-of-life.ts';
import { ConfigError } from '../lib/config.ts';
import { bundleFunctions, FUNCTIONS_FOLDER } from '../lib/infra/function-bundles.ts';
import { rivuletApp } from '../lib/infra/rivulet-app.ts';
import { CONTENT_SECURITY_POLICY } from '../web/build.ts';

try {
  await Promise.all([bundleFunctions(), makeImageFolder()]);
  const { app } = rivuletApp({
    bundles: FUNCTIONS_FOLDER,
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    imageFolder: IMAGE_FOLDER,
    healthCommand: HEALTH_COMMAND,
  });
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}
