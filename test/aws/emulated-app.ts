/** The CDK app for an emulator. It changes what the emulator cannot do, and adds a role for workers. */

import { readFileSync, writeFileSync } from 'node:fs';
import { CfnOutput } from 'aws-cdk-lib';
import { CfnDistribution } from 'aws-cdk-lib/aws-cloudfront';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { buildArtifacts } from '../../bin/deploy/artifacts.ts';
import type { CoreStack } from '../../lib/infra/core-stack.ts';
import type { EdgeStack } from '../../lib/infra/edge-stack.ts';
import { rivuletApp } from '../../lib/infra/rivulet-app.ts';

/** Nothing of ours depends on what they do. */
const UNKNOWN_TYPES: ReadonlySet<string> = new Set([
  'AWS::EC2::FlowLog',
  'AWS::ECS::ClusterCapacityProviderAssociations',
]);

type Statement = { Action: string | string[]; Resource: unknown };

const isStatement = (value: unknown): value is Statement =>
  typeof value === 'object' && value !== null && 'Action' in value && 'Resource' in value;

/** The emulator asks for batches by their own name, and for a service by its cluster; AWS does not. */
function inItsWords({ Action, Resource, ...rest }: Statement): object {
  const actions = [Action]
    .flat()
    .flatMap((action) => [
      action,
      ...(/^sqs:(?:\w+Message|ChangeMessageVisibility)$/.test(action) ? [`${action}Batch`] : []),
    ]);
  const clusters = JSON.stringify(Resource).replace(/:service\/([\w-]+)\/\1/, ':cluster/$1');
  const resources = [Resource, JSON.parse(clusters)].flat();
  return { ...rest, Action: actions, Resource: resources };
}

const { app, core, edge, workers } = rivuletApp(await buildArtifacts());
reachApiByAddress(core, edge);
if (!workers) addWorkerRole(core);
for (const { templateFullPath } of app.synth().stacks) adaptTemplate(templateFullPath);

/** Names of the HTTP API are in no DNS; it is there under the emulator's own address as well. */
function reachApiByAddress({ api }: CoreStack, stack: EdgeStack): void {
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL ?? '');
  const [distribution] = stack.node.findAll().filter((node) => node instanceof CfnDistribution);
  if (!distribution) throw new Error('There is no distribution.');
  const { origins }: { origins: object[] } = stack.resolve(distribution.distributionConfig);
  const index = origins.findIndex((origin) => 'customOriginConfig' in origin);
  const origin = `DistributionConfig.Origins.${index}`;
  const path = `/_aws/execute-api/${api.apiId}/$default`;
  distribution.addPropertyOverride(`${origin}.DomainName`, hostname);
  distribution.addPropertyOverride(`${origin}.CustomOriginConfig.HTTPSPort`, Number(port));
  distribution.addPropertyOverride(`${origin}.OriginPath`, path);
}

/** As an owner would who runs workers himself. */
function addWorkerRole(stack: CoreStack): void {
  if (!stack.workerPolicy) throw new Error('Deploy with workers=none.');
  const role = new Role(stack, 'WorkerRole', {
    assumedBy: new AccountRootPrincipal(),
    managedPolicies: [stack.workerPolicy],
  });
  new CfnOutput(stack, 'WorkerRoleArn', { value: role.roleArn });
}

type Resource = { Type: string; DependsOn?: string[] };

function adaptTemplate(path: string): void {
  const template = JSON.parse(readFileSync(path, 'utf8'), (_, value) =>
    isStatement(value) ? inItsWords(value) : value,
  );
  const resources = Object.entries<Resource>(template.Resources);
  const left = resources.filter(([, { Type }]) => !UNKNOWN_TYPES.has(Type));
  const names = new Set(left.map(([name]) => name));
  for (const [, resource] of left) {
    if (!resource.DependsOn) continue;
    resource.DependsOn = resource.DependsOn.filter((name) => names.has(name));
  }
  writeFileSync(path, JSON.stringify({ ...template, Resources: Object.fromEntries(left) }));
}
