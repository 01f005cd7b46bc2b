/** What `npm run deploy` and `npm run destroy` read of the options that they pass on to the CDK's CLI. */

import { parseArgs } from 'node:util';
import { UsageError } from '../../lib/base/command-line.ts';

const valued = { type: 'string' } as const;

/**
 * All options of `cdk deploy` and `cdk destroy` that have a value: what follows another option may be
 * the name of a stack.
 */
export const VALUED_OPTIONS = {
  app: { ...valued, short: 'a' },
  'asset-build-concurrency': valued,
  build: valued,
  'build-exclude': { ...valued, short: 'E' },
  'ca-bundle-path': valued,
  'change-set-name': valued,
  concurrency: valued,
  context: { ...valued, short: 'c', multiple: true },
  'hotswap-ecs-maximum-healthy-percent': valued,
  'hotswap-ecs-minimum-healthy-percent': valued,
  'hotswap-ecs-stabilization-timeout-seconds': valued,
  method: { ...valued, short: 'm' },
  'monitoring-time-minutes': valued,
  'notification-arns': valued,
  output: { ...valued, short: 'o' },
  'outputs-file': { ...valued, short: 'O' },
  parameters: valued,
  plugin: { ...valued, short: 'p' },
  profile: valued,
  progress: valued,
  proxy: valued,
  region: valued,
  'require-approval': valued,
  'role-arn': { ...valued, short: 'r' },
  'rollback-trigger-alarm-arns': valued,
  tags: { ...valued, short: 't' },
  'telemetry-file': valued,
  'toolkit-stack-name': valued,
  unstable: valued,
} as const;

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], strict: false, options: VALUED_OPTIONS });

/** The CDK's arguments: all stacks, unless some are named. */
export const deployArguments = (args: readonly string[]): string[] =>
  parse(args).positionals.length > 0 ? [...args] : ['--all', ...args];

export type DestroyCommand = Readonly<{ stage: string; withMedia: boolean; cdkArgs: string[] }>;

/** Throws UsageError where a stack is named: the stacks of a stage are removed together. */
export function destroyCommand(args: readonly string[]): DestroyCommand {
  const withMedia = args.includes('--with-media');
  const cdkArgs = args.filter((arg) => arg !== '--with-media');
  const { values, positionals } = parse(cdkArgs);
  if (positionals.length > 0) {
    throw new UsageError(
      `Unexpected argument "${positionals[0]}": the stacks of a stage are removed together; -c stage=NAME chooses the stage.`,
    );
  }
  const stages = (values.context ?? []).flatMap(
    (pair) => String(pair).match(/^=?stage=(.+)$/)?.[1] ?? [],
  );
  return { stage: stages.at(-1) ?? 'dev', withMedia, cdkArgs: ['--all', ...cdkArgs] };
}

/** What to do about a failed deploy, from what the CDK printed; undefined if nothing is known. */
export const deployHint = (printed: string): string | undefined =>
  /bootstrapped\?|requires bootstrap stack/.test(printed)
    ? 'The first deploy into an account and region needs: npm run bootstrap'
    : undefined;
