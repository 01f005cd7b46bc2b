/** The CDK app: builds the artifacts and synthesizes the stacks of one stage. */

import { ConfigError } from '../lib/base/environment.ts';
import { rivuletApp } from '../lib/infra/rivulet-app.ts';
import { buildArtifacts } from './deploy/artifacts.ts';

try {
  const { app } = rivuletApp(await buildArtifacts());
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}
