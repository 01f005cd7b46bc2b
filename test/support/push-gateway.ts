/** The gateway over an embedded engine in this process, without a worker: what encoders push, and the answers. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { apiHandlers } from '../../lambdas/api/handlers.ts';
import { ROUTES, type RouteName } from '../../lib/api/routes.ts';
import type { SourceSegment } from '../../lib/domain/segment.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import { OWNER_KEY, testEngine } from './engine.ts';

export type PushAnswer = Readonly<{ method: string; name: string; status: number; body: string }>;

export async function startPushGateway(t: TestContext) {
  const ends: (() => unknown)[] = [];
  const { deps, records } = await testEngine(
    { after: (end) => ends.push(end) },
    { realTime: true },
  );
  const answers: PushAnswer[] = [];
  const faults: unknown[] = [];
  const open = new Set<Promise<unknown>>();
  const routes = Object.entries(apiHandlers(deps)).map(([name, handler]) => ({
    ...ROUTES[name as RouteName],
    handler: async (...call: Parameters<typeof handler>) => {
      const answered = handler(...call);
      open.add(answered);
      const { statusCode = 200, body = '' } = await answered.finally(() => open.delete(answered));
      const [{ pathParameters, requestContext }] = call;
      const file = pathParameters?.name;
      const { method } = requestContext.http;
      if (file !== undefined) answers.push({ method, name: file, status: statusCode, body });
      return { statusCode, body };
    },
    ...(handler.refusal && { refusal: handler.refusal }),
  }));
  const gateway = new Gateway({ routes, report: (error) => faults.push(error) });
  const { port } = await gateway.listen(0, '127.0.0.1');
  t.after(async () => {
    await gateway.close(5000);
    // Of encoders that do not wait for the answer.
    while (open.size > 0) await Promise.allSettled(open);
    for (const end of ends) await end();
  });
  const streamOf = async (id: string) =>
    (await records.findStream(id))?.value ?? assert.fail(`no stream ${id}`);
  return {
    records,
    answers,
    faults,
    /** Where an encoder pushes to, with the owner's key in it. */
    folderOf: (id: string) => `http://x:${OWNER_KEY}@127.0.0.1:${port}/upload/${id}`,
    /** The segments that are taken, by run. */
    async runsOf(id: string): Promise<SourceSegment[][]> {
      const stream = await streamOf(id);
      const runs = await records.runs(stream);
      return Promise.all(
        runs.map(async ({ run }) => {
          const numbers = await records.numbersFrom(stream, run, 0, 1000);
          const found = numbers.map((number) => records.findSegment(stream, run, number));
          return (await Promise.all(found)).filter((segment) => segment !== undefined);
        }),
      );
    },
    endOf: async (id: string) => records.endRequest(await streamOf(id)),
  };
}
