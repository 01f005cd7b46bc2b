/** Functions made from the table, each with the environment of the engine. */

import { join } from 'node:path';
import { Construct } from 'constructs';
import type { FunctionEnvironment } from '../../lambdas/runtime/function-environment.ts';
import type { RouteName } from '../api/routes.ts';
import type { AwsEngineEnvironment } from '../aws/aws-config.ts';
import { defined } from '../base/defined.ts';
import type { Deps } from '../pipeline/deps.ts';
import { QUEUES } from '../ports/queues.ts';
import { type PermissionScope, statementsFor } from './function-permissions.ts';
import { FUNCTIONS, type FunctionName, type FunctionSpec } from './function-table.ts';
import type { Queues } from './queues.ts';
import { RivuletFunction } from './rivulet-function.ts';

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
      specs.map(([name, spec]) => [name, this.#make(name, spec, props, environment)]),
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

  #make(
    name: FunctionName,
    spec: FunctionSpec,
    props: FunctionsProps,
    environment: Readonly<Record<string, string>>,
  ): RivuletFunction {
    const { stage, architecture, bundles, queues } = props;
    const made = new RivuletFunction(this, constructId(name), {
      name,
      stage,
      architecture,
      folder: join(bundles, name),
      spec,
      statements: statementsFor(spec.permissions, props.scope),
      environment: { ...environmentOf(spec, props), ...environment },
    });
    if (spec.queue) made.consume(queues.queues[spec.queue], QUEUES[spec.queue].consumer.batchSize);
    if (spec.deadLetters) made.consume(queues.deadLetters[spec.deadLetters], DEAD_LETTER_BATCH);
    return made;
  }
}

const DEAD_LETTER_BATCH = 10;

/** `UploadCompletedDead` for `upload-completed-dead`. */
const constructId = (name: string): string =>
  name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

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
