/** The whole deployment of one stage: its stacks, checked by cdk-nag as they are synthesized. */

import { App, type AppProps, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CoreStack } from './core-stack.ts';
import { EdgeStack } from './edge-stack.ts';
import { MonitoringStack } from './monitoring-stack.ts';
import { deploymentOptions } from './options.ts';
import { PROJECT } from './stage-names.ts';
import { WorkersStack } from './workers-stack.ts';

/** What was built before, and is deployed. */
export type Artifacts = Readonly<{
  /** One folder for each function. */
  bundles: string;
  contentSecurityPolicy: string;
  imageFolder: string;
  /** Exit code 0 while a worker works. */
  healthCommand: string;
}>;

/** Behaviour that the CDK has for new projects alone. */
const FLAGS = {
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/core:defaultCrossStackReferences': 'strong',
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
} as const;

export type RivuletApp = Readonly<{
  app: App;
  core: CoreStack;
  workers?: WorkersStack;
  edge: EdgeStack;
  monitoring: MonitoringStack;
}>;

/** Options come from the app's context. Throws ConfigError. */
export function rivuletApp(artifacts: Artifacts, props: AppProps = {}): RivuletApp {
  const app = new App({
    analyticsReporting: false,
    ...props,
    context: { ...FLAGS, ...props.context },
  });
  const options = deploymentOptions(app.node.getAllContext());
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  Tags.of(app).add('project', PROJECT);
  Tags.of(app).add('stage', options.stage);
  const { bundles, contentSecurityPolicy, imageFolder, healthCommand } = artifacts;
  const core = new CoreStack(app, { options, bundles });
  const workers =
    options.workers === 'none'
      ? undefined
      : new WorkersStack(app, { options, core, imageFolder, healthCommand });
  const edge = new EdgeStack(app, { options, core, contentSecurityPolicy });
  const monitoring = new MonitoringStack(app, { options, core });
  return { app, core, edge, monitoring, ...(workers && { workers }) };
}
