/** The CDK app: builds what is deployed, reads the options from the context, makes one stage's stacks. */

import { ConfigError } from '../lib/environment.ts';
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
