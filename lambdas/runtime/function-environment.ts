/** Environment variables of functions beside the engine's settings. */

import { ConfigError } from '../../lib/base/environment.ts';

export type FunctionEnvironment = Readonly<{
  /** ARN of the secret in Secrets Manager. */
  RIVULET_OWNER_KEY_SECRET: string;
  /** JSON: `ScalingLimits`. */
  RIVULET_SCALING: string;
  /** JSON: ladder and DVR window of streams whose owner sets none. */
  RIVULET_STREAM_DEFAULTS: string;
  RIVULET_STAGE: string;
}>;

/** Throws ConfigError. */
export function setting(name: keyof FunctionEnvironment): string {
  const value = process.env[name];
  if (value) return value;
  throw new ConfigError([`${name} is not set; the infrastructure sets it for this function.`]);
}
