/** The CDK app for an emulator. It changes what the emulator cannot do, and adds a role for workers. */

import { Aspects, CfnOutput, Stack } from 'aws-cdk-lib';
import { CfnDistribution } from 'aws-cdk-lib/aws-cloudfront';
import {
  AccountRootPrincipal,
  CfnManagedPolicy,
  CfnPolicy,
  CfnRole,
  Role,
} from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { buildArtifacts } from '../../bin/artifacts.ts';
import type { CoreStack } from '../../lib/infra/core-stack.ts';
import type { EdgeStack } from '../../lib/infra/edge-stack.ts';
import { rivuletApp } from '../../lib/infra/rivulet-app.ts';

/** On AWS the right to send covers batches; the emulator asks for each call by its own name. */
const withBatch = (action: string): string[] =>
  /^sqs:(?:Send|Delete)Message$|^sqs:ChangeMessageVisibility$/.test(action)
    ? [action, `${action}Batch`]
    : [action];

const { app, core, edge } = rivuletApp(await buildArtifacts());
reachApiByAddress(core, edge);
addWorkerRole(core);
Aspects.of(app).add({ visit: nameBatchActions });
app.synth();

/** Names of the HTTP API are in no DNS; it is there under the emulator's own address as well. */
function reachApiByAddress({ api: { api } }: CoreStack, stack: EdgeStack): void {
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
    managedPolicies: [stack.workerPolicy.policy],
  });
  new CfnOutput(stack, 'WorkerRoleArn', { value: role.roleArn });
}

function nameBatchActions(node: IConstruct): void {
  const named = <T>(policies: T): T =>
    JSON.parse(JSON.stringify(Stack.of(node).resolve(policies)), (key, value) =>
      key === 'Action' ? [value].flat().flatMap(withBatch) : value,
    );
  if (node instanceof CfnRole && node.policies) node.policies = named(node.policies);
  if (node instanceof CfnPolicy || node instanceof CfnManagedPolicy) {
    node.policyDocument = named(node.policyDocument);
  }
}
