import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteTable } from '../../lib/embedded/route-table.ts';

test('a greedy variable takes the rest of the path, and gives way to literal parts', () => {
  const table = new RouteTable([
    { method: 'PUT', path: '/upload/{id}/{name+}' },
    { method: 'PUT', path: '/upload/{id}/end' },
    { method: 'PUT', path: '/upload/{id}' },
  ]);
  const cases: Readonly<Record<string, readonly [path: string, parameters: object] | undefined>> = {
    '/upload/a/b.ts': ['/upload/{id}/{name+}', { id: 'a', name: 'b.ts' }],
    '/upload/a/v0/x/b.ts': ['/upload/{id}/{name+}', { id: 'a', name: 'v0/x/b.ts' }],
    '/upload/a/v0%2Fb%20c.ts': ['/upload/{id}/{name+}', { id: 'a', name: 'v0/b c.ts' }],
    '/upload/a//b.ts': ['/upload/{id}/{name+}', { id: 'a', name: '/b.ts' }],
    '/upload/a/end': ['/upload/{id}/end', { id: 'a' }],
    '/upload/a': ['/upload/{id}', { id: 'a' }],
    '/upload/a/': undefined,
    '/upload//b.ts': undefined,
  };
  for (const [path, expected] of Object.entries(cases)) {
    const match = table.match('PUT', path);
    const found =
      match.type === 'found' ? ([match.route.path, { ...match.parameters }] as const) : undefined;
    assert.deepEqual(found, expected, path);
  }
});
