/** Stacks as the tests look at them: made from empty bundles, so that no test waits for esbuild. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import { type Artifacts, type RivuletApp, rivuletApp } from '../../lib/infra/rivulet-app.ts';

export type Context = Readonly<Record<string, string>>;

type Scope = Readonly<{ after(end: () => void): void }>;

/** One that has nothing in it but the names that the app looks for. */
export function emptyArtifacts(scope: Scope): Artifacts & Readonly<{ folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-infra-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of Object.keys(FUNCTION_TABLE)) {
    mkdirSync(join(folder, 'functions', name), { recursive: true });
    writeFileSync(join(folder, 'functions', name, 'index.mjs'), `// ${name}`);
  }
  mkdirSync(join(folder, 'image'));
  writeFileSync(join(folder, 'image', 'Dockerfile'), 'FROM scratch');
  return {
    folder,
    bundles: join(folder, 'functions'),
    imageFolder: join(folder, 'image'),
    contentSecurityPolicy: "default-src 'self'",
    healthCommand: 'true',
  };
}

export function appWith(scope: Scope, context: Context = {}): RivuletApp & { outdir: string } {
  const artifacts = emptyArtifacts(scope);
  const outdir = join(artifacts.folder, 'cdk');
  return { ...rivuletApp(artifacts, { context, outdir }), outdir };
}

export type Resource = Readonly<{
  Type: string;
  Properties: Readonly<Record<string, unknown>>;
  DeletionPolicy?: string;
}>;

export type Templates = Readonly<Record<'core' | 'workers' | 'edge' | 'monitoring', Template>>;

/** Throws if a stack's resources depend on each other in a circle. */
export function templatesWith(scope: Scope, context: Context = {}): Templates {
  const { core, workers, edge, monitoring } = appWith(scope, context);
  if (!workers) throw new Error('These options leave the workers out.');
  return {
    core: Template.fromStack(core),
    workers: Template.fromStack(workers),
    edge: Template.fromStack(edge),
    monitoring: Template.fromStack(monitoring),
  };
}

export const resourcesOf = (template: Template, type: string): [string, Resource][] =>
  Object.entries(template.findResources(type)) as [string, Resource][];

/** References and joins as one text: `<LogicalId.Arn>/source/*`. */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[key, inner] = []] = Object.entries(value) as [string, unknown][];
  if (key === 'Fn::Join' && Array.isArray(inner)) return inner[1].map(textOf).join(inner[0]);
  if (key === 'Fn::GetAtt' && Array.isArray(inner)) return `<${inner.map(textOf).join('.')}>`;
  if (key === 'Fn::ImportValue') return `<${textOf(inner)}>`;
  if (key === 'Ref') return `<${textOf(inner)}>`;
  return JSON.stringify(value);
}
