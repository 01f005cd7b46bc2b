/**
 * Settings from an environment: each has a rule, and all that break theirs are reported at once.
 * Without a validation library, as functions read theirs in every cold start.
 */

import { type OptionalSetting, type Setting, wrongValue } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names every wrong setting, one a line: what came and what was expected. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

type Rules = Readonly<Record<string, Setting<unknown>>>;

export type SettingsOf<Given extends Rules> = Readonly<{
  [Name in keyof Given]: Given[Name] extends OptionalSetting<infer Value>
    ? Value
    : Given[Name] extends Setting<infer Value>
      ? Value
      : never;
}>;

/** The variables that these settings need, and those that may be left out. */
export type EnvironmentOf<Given extends Rules> = Readonly<
  {
    [Name in keyof Given as Given[Name] extends OptionalSetting<unknown> ? never : Name]: string;
  } & {
    [Name in keyof Given as Given[Name] extends OptionalSetting<unknown> ? Name : never]?:
      | string
      | undefined;
  }
>;

/**
 * `PORT= npm start` and an empty line of an env file mean the default. `problems` are what else is
 * wrong with the environment. Throws ConfigError.
 */
export function readSettings<Given extends Rules>(
  rules: Given,
  env: Environment,
  problems: readonly string[] = [],
): SettingsOf<Given> {
  const wrong: string[] = [];
  const settings = Object.entries(rules).map(([name, rule]) => {
    const given = env[name] || undefined;
    if (given === undefined && 'otherwise' in rule) return [name, rule.otherwise];
    const value = given === undefined ? undefined : rule.read(given);
    if (value === undefined) wrong.push(wrongValue(name, given, rule));
    return [name, value];
  });
  if (wrong.length + problems.length > 0) throw new ConfigError([...wrong, ...problems]);
  return Object.fromEntries(settings);
}
