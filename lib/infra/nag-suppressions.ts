/** Findings of cdk-nag that a role with a wildcard has, acknowledged one by one. */

import { Stack, Validations } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** Each resource of the statements that has a wildcard, and no other. */
export function suppressWildcards(
  role: Construct,
  statements: readonly PolicyStatement[],
  reason: string,
): void {
  const stack = Stack.of(role);
  const resources = statements.flatMap(({ resources }) => resources);
  const named = resources.map((resource) => written(stack.resolve(resource)));
  for (const name of new Set(named.filter((one) => one.includes('*')))) {
    Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${name}]`, reason });
  }
}

/** A reference as cdk-nag writes it: `<LogicalId.Arn>/source/*`. */
function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[key, inner] = []] = Object.entries(value) as [string, unknown][];
  if (key === 'Fn::Join' && Array.isArray(inner)) return inner[1].map(written).join(inner[0]);
  if (key === 'Fn::GetAtt' && Array.isArray(inner)) return `<${inner.map(written).join('.')}>`;
  if (key === 'Fn::ImportValue') return written(inner);
  if (key === 'Ref') return `<${written(inner)}>`;
  throw new Error(`Nobody knows how cdk-nag writes ${JSON.stringify(value)}.`);
}
