/**
 * Functions made from the table, each with its bundle, the environment of the engine, a role of its own
 * with nothing but what it uses, and its log.
 */

import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnEventSourceMapping,
  Code,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionEnvironment } from '../../lambdas/runtime/function-environment.ts';
import type { RouteName } from '../api/routes.ts';
import type { AwsEngineEnvironment } from '../aws/aws-config.ts';
import { defined } from '../base/defined.ts';
import type { Deps } from '../pipeline/deps.ts';
import { QUEUES } from '../ports/queues.ts';
import { FUNCTIONS, type FunctionName, type FunctionSpec } from './function-table.ts';
import { logGroup } from './log-group.ts';
import { suppressWildcards } from './nag-suppressions.ts';
import { type PermissionScope, statementsFor } from './permissions.ts';
import type { Queues } from './queues.ts';
import { METRICS_NAMESPACE } from './stage-names.ts';

export type FunctionsProps = Readonly<{
  stage: string;
  architecture: 'arm64' | 'x86_64';
  /** One folder for each function. */
  bundles: string;
  engine: AwsEngineEnvironment;
  /** Settings of streams whose owner sets none. */
  streamDefaults: NonNullable<Deps['streamDefaults']>;
  queues: Queues;
  scope: PermissionScope;
}>;

/** The functions of one stack. */
export class Functions extends Construct {
  readonly #all: ReadonlyMap<FunctionName, RivuletFunction>;

  constructor(
    scope: Construct,
    id: string,
    props: FunctionsProps,
    specs: readonly (readonly [FunctionName, FunctionSpec])[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    super(scope, id);
    this.#all = new Map(
      specs.map(([name, spec]) => [
        name,
        new RivuletFunction(this, name, spec, props, environment),
      ]),
    );
  }

  get(name: FunctionName): RivuletFunction {
    const found = this.#all.get(name);
    if (!found) throw new Error(`This stack has no function ${name}.`);
    return found;
  }

  forRoute(route: RouteName): RivuletFunction {
    const name = FUNCTIONS.find(([, { routes }]) => routes?.includes(route))?.[0];
    if (name === undefined) throw new Error(`No function answers the route ${route}.`);
    return this.get(name);
  }
}

const DEAD_LETTER_BATCH = 10;

/** `UploadCompletedDead` for `upload-completed-dead`. */
const constructId = (name: string): string =>
  name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

class RivuletFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly #role: Role;

  constructor(
    scope: Construct,
    name: FunctionName,
    spec: FunctionSpec,
    props: FunctionsProps,
    environment: Readonly<Record<string, string>>,
  ) {
    super(scope, constructId(name));
    const { stage, architecture, bundles, queues } = props;
    const statements = statementsFor(spec.permissions, props.scope);
    const log = logGroup(this, 'Log', stage, name);
    this.#role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Log: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [log.logGroupArn],
            }),
          ],
        }),
        // IAM takes no empty policy.
        ...(statements.length > 0 && { Work: new PolicyDocument({ statements }) }),
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
      code: Code.fromAsset(join(bundles, name)),
      handler: 'index.handler',
      memorySize: spec.memoryMb,
      timeout: Duration.seconds(spec.timeoutSeconds),
      role: this.#role,
      logGroup: log,
      environment: {
        ...environmentOf(spec, props),
        ...environment,
        RIVULET_STAGE: stage,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
      },
    });
    if (spec.queue) this.#consume(queues.queues[spec.queue], QUEUES[spec.queue].consumer.batchSize);
    if (spec.deadLetters) this.#consume(queues.deadLetters[spec.deadLetters], DEAD_LETTER_BATCH);
  }

  /** Takes messages from the queue; those that fail come back alone, not with their batch. */
  #consume(queue: Queue, batchSize: number): void {
    this.#role.addToPolicy(
      new PolicyStatement({
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

function environmentOf({ permissions }: FunctionSpec, props: FunctionsProps) {
  const { engine, scope, streamDefaults } = props;
  // A function that knows the owner's key may create streams.
  const own: Partial<FunctionEnvironment> = permissions.includes('read owner key')
    ? {
        RIVULET_OWNER_KEY_SECRET: scope.ownerKeyArn,
        RIVULET_STREAM_DEFAULTS: JSON.stringify(streamDefaults),
      }
    : {};
  return defined({ ...engine, ...own }) as Record<string, string>;
}
