/** What was deployed from this clone: the outputs of each stack, kept in `dist`. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AwsEngineEnvironment } from '../../lib/aws/aws-config.ts';
import { stackName } from '../../lib/infra/stage-names.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';

export type Outputs = Readonly<Record<string, string>>;
/** By the names of the stacks. */
export type Deployments = Readonly<Record<string, Outputs>>;

const FOLDER = fileURLToPath(new URL('../../dist', import.meta.url));
const KEPT = join(FOLDER, 'deployments.json');

/** Where the CDK's CLI writes the outputs of one deploy. */
export const OUTPUTS_FILE = join(FOLDER, 'outputs.json');

export const CDK = fileURLToPath(new URL('../../node_modules/aws-cdk/bin/cdk', import.meta.url));

const read = (path: string): Deployments =>
  existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};

export const deployments = (): Deployments => read(KEPT);

/** Adds the outputs of the last deploy to those of other stages. */
export function keepOutputs(): Deployments {
  const latest = read(OUTPUTS_FILE);
  writeFileSync(KEPT, `${JSON.stringify({ ...deployments(), ...latest }, undefined, 2)}\n`);
  return latest;
}

export function forget(stacks: readonly string[]): void {
  const left = Object.entries(deployments()).filter(([name]) => !stacks.includes(name));
  writeFileSync(KEPT, `${JSON.stringify(Object.fromEntries(left), undefined, 2)}\n`);
}

/** One output of one of the stage's stacks; undefined if that was not deployed. */
export const outputOf = (all: Deployments, name: string): string | undefined =>
  Object.values(all).find((outputs) => outputs[name] !== undefined)?.[name];

export type Stage = Readonly<{
  engine: AwsEngineEnvironment;
  ownerKeySecret: string;
  streamDefaults: NonNullable<Deps['streamDefaults']>;
}>;

/** undefined if it was not deployed from this clone. */
export function stageDeployedHere(stage: string): Stage | undefined {
  const core = deployments()[stackName(stage, 'core')];
  if (!core) return undefined;
  const output = (name: string): string => {
    const value = core[name];
    if (value === undefined) throw new Error(`Stage ${stage} has no output ${name}: deploy again.`);
    return value;
  };
  return {
    engine: JSON.parse(output('Engine')),
    ownerKeySecret: output('OwnerKeySecret'),
    streamDefaults: JSON.parse(output('StreamDefaults')),
  };
}
