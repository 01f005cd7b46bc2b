/** All functions of the core: made from the table, each with the environment of the engine. */

import { join } from 'node:path';
import { Construct } from 'constructs';
import type { FunctionEnvironment } from '../../lambdas/runtime/function-environment.ts';
import type { RouteName } from '../api/routes.ts';
import type { AwsEngineEnvironment } from '../aws/aws-config.ts';
import type { Deps } from '../pipeline/deps.ts';
import { type PermissionScope, statementsFor } from './function-permissions.ts';
import { FUNCTION_TABLE, type FunctionName, type FunctionSpec } from './function-table.ts';
import type { Queues } from './queues.ts';
import { RivuletFunction } from './rivulet-function.ts';

export type FunctionsProps = Readonly<{
  stage: string;
  architecture: 'arm64' | 'x86_64';
  /** One folder for each function. */
  bundles: string;
  engine: AwsEngineEnvironment;
  /** Of streams whose owner says nothing else. */
  streamDefaults: NonNullable<Deps['streamDefaults']>;
  ownerKeyArn: string;
  queues: Queues;
  scope: PermissionScope;
}>;

export class Functions extends Construct {
  readonly all: ReadonlyMap<FunctionName, RivuletFunction>;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    const all = new Map<FunctionName, RivuletFunction>();
    for (const [name, spec] of Object.entries<FunctionSpec>(FUNCTION_TABLE)) {
      all.set(name as FunctionName, makeFunction(this, name, spec, props));
    }
    this.all = all;
  }

  get(name: FunctionName): RivuletFunction {
    const found = this.all.get(name);
    if (!found) throw new Error(`There is no function ${name}.`);
    return found;
  }

  forRoute(route: RouteName): RivuletFunction {
    const entries = Object.entries<FunctionSpec>(FUNCTION_TABLE);
    const name = entries.find(([, { routes }]) => routes?.includes(route))?.[0];
    if (name === undefined) throw new Error(`No function answers the route ${route}.`);
    return this.get(name as FunctionName);
  }
}

export function makeFunction(
  scope: Construct,
  name: string,
  spec: FunctionSpec,
  props: FunctionsProps,
  more: Readonly<Record<string, string>> = {},
): RivuletFunction {
  const { stage, architecture, bundles, queues } = props;
  const id = name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const made = new RivuletFunction(scope, id, {
    name,
    stage,
    architecture,
    folder: join(bundles, name),
    spec,
    statements: statementsFor(spec.permissions, props.scope),
    environment: { ...environmentOf(spec, props), ...more },
  });
  if (spec.queue) {
    const { name: queue, dead, batchSize = 10 } = spec.queue;
    made.consume((dead ? queues.deadLetters : queues.queues)[queue], batchSize);
  }
  return made;
}

function environmentOf(
  { permissions }: FunctionSpec,
  props: FunctionsProps,
): Record<string, string> {
  const { engine, ownerKeyArn, streamDefaults } = props;
  const own: Partial<FunctionEnvironment> = {
    // Whoever knows the owner may make streams.
    ...(permissions.includes('read owner key') && {
      RIVULET_OWNER_KEY_SECRET: ownerKeyArn,
      RIVULET_STREAM_DEFAULTS: JSON.stringify(streamDefaults),
    }),
  };
  const defined = Object.entries({ ...engine, ...own }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Record<string, string>;
}
