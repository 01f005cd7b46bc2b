/** One function: its bundle, a role of its own with nothing but what it uses, and its log. */

import { Duration } from 'aws-cdk-lib';
import {
  PolicyDocument,
  type PolicyStatement,
  Role,
  ServicePrincipal,
  PolicyStatement as Statement,
} from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnEventSourceMapping,
  Code,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionSpec } from './function-table.ts';
import { logGroup } from './log-group.ts';
import { suppressWildcards } from './nag-suppressions.ts';
import { METRICS_NAMESPACE } from './stage-names.ts';

export type RivuletFunctionProps = Readonly<{
  name: string;
  stage: string;
  /** Folder of the bundle. */
  folder: string;
  architecture: 'arm64' | 'x86_64';
  spec: FunctionSpec;
  statements: readonly PolicyStatement[];
  environment: Readonly<Record<string, string>>;
}>;

export class RivuletFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: RivuletFunctionProps) {
    super(scope, id);
    const { name, stage, folder, architecture, spec, statements, environment } = props;
    const log = logGroup(this, 'Log', stage, name);
    this.#role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Log: new PolicyDocument({
          statements: [
            new Statement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [log.logGroupArn],
            }),
          ],
        }),
        Work: new PolicyDocument({ statements: [...statements] }),
      },
    });
    suppressWildcards(
      this.#role,
      statements,
      'Objects get their names while segments come and go; the role has this prefix alone.',
    );
    this.lambda = new LambdaFunction(this, 'Function', {
      description: `Rivulet ${stage}: ${name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code: Code.fromAsset(folder),
      handler: 'index.handler',
      memorySize: spec.memoryMb,
      timeout: Duration.seconds(spec.timeoutSeconds),
      role: this.#role,
      logGroup: log,
      environment: {
        ...environment,
        RIVULET_STAGE: stage,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
      },
    });
  }

  /** Takes messages from the queue; those that fail come back alone, not with their batch. */
  consume(queue: Queue, batchSize: number): void {
    this.#role.addToPolicy(
      new Statement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [queue.queueArn],
      }),
    );
    const mapping = new CfnEventSourceMapping(this, 'Source', {
      functionName: this.lambda.functionName,
      eventSourceArn: queue.queueArn,
      batchSize,
      functionResponseTypes: ['ReportBatchItemFailures'],
    });
    mapping.node.addDependency(this.#role);
  }
}
