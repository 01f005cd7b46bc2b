/** Options of a command line: each has a rule, and all that break theirs are reported at once. */

import { parseArgs } from 'node:util';
import { type OptionalSetting, type Setting, wrongValue } from './settings.ts';
import { didYouMean } from './spelling.ts';

/** The command line is wrong; the message names each problem, one a line, and what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Flag = Readonly<{ isFlag: true }>;

/** An option without a value. */
export const flag: Flag = { isFlag: true };

type Rules = Readonly<Record<string, Setting<unknown> | Flag>>;

/** What was left out is undefined, or its rule's default. */
export type OptionsOf<Given extends Rules> = Readonly<{
  [Name in keyof Given]: Given[Name] extends Flag
    ? boolean
    : Given[Name] extends OptionalSetting<infer Value>
      ? Value
      : Given[Name] extends Setting<infer Value>
        ? Value | undefined
        : never;
}>;

export type CommandLine<Given extends Rules> = Readonly<{
  /** `--help` or `-h`: nothing else was read. */
  help: boolean;
  options: OptionsOf<Given>;
  /** Names of the options that were given. */
  given: ReadonlySet<string>;
  positionals: readonly string[];
}>;

/** The last of several values of one option counts. Throws UsageError. */
export function parseCommandLine<Given extends Rules>(
  rules: Given,
  argv: readonly string[],
  maxPositionals = 0,
): CommandLine<Given> {
  const types = Object.entries(rules).map(
    ([name, rule]) => [name, { type: 'isFlag' in rule ? 'boolean' : 'string' }] as const,
  );
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
  });
  const problems: string[] = [];
  const texts = new Map<string, string>();
  const given = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const rule = name === 'help' ? flag : Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) {
      const known = [...Object.keys(rules), 'help'].map((option) => `--${option}`);
      problems.push(`Unknown option ${rawName}; ${didYouMean(rawName, known)}`);
    } else if ('isFlag' in rule) {
      if (value !== undefined)
        problems.push(`${rawName} takes no value, but "${value}" was given.`);
    } else if (!value || (!inlineValue && value.startsWith('--'))) {
      problems.push(`${rawName} has no value; expected: ${rule.expected}.`);
    } else texts.set(name, value);
    given.add(name);
  }
  const help = given.has('help');
  const options = Object.entries(rules).map(([name, rule]) => {
    if ('isFlag' in rule) return [name, given.has(name)];
    const text = texts.get(name);
    if (text === undefined) return [name, 'otherwise' in rule ? rule.otherwise : undefined];
    const value = rule.read(text);
    if (value === undefined) problems.push(wrongValue(`--${name}`, text, rule));
    return [name, value];
  });
  // Behind an unknown option it may be a value of that.
  const [unexpected] = positionals.slice(maxPositionals);
  if (problems.length === 0 && unexpected !== undefined) {
    problems.push(`Unexpected argument "${unexpected}".`);
  }
  if (problems.length > 0 && !help) throw new UsageError(problems.join('\n'));
  return { help, options: Object.fromEntries(options), given, positionals };
}
