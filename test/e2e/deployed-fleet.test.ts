import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { deploy } from '../aws/deployment.ts';
import { withMiniStack } from '../aws/ministack.ts';
import { makeSegments } from '../support/media.ts';
import { waitFor } from '../support/system.ts';

await withMiniStack(
  (stack) => {
    test('the first upload of a stream asks ECS for a task, with the permissions of the functions', {
      timeout: 600_000,
    }, async (t) => {
      const { api, stage, destroy } = await deploy(stack, ['core', 'workers']);
      const ecs = new ECSClient(stack.connection);
      t.after(() => ecs.destroy());
      const [cluster, service] = [`rivulet-${stage}`, `rivulet-${stage}`];
      const desired = async () => {
        const command = new DescribeServicesCommand({ cluster, services: [service] });
        return (await ecs.send(command)).services?.[0]?.desiredCount;
      };
      await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: 0 }));
      const health = await api('/healthz');
      assert.equal(health.status, 200, health.text);

      const { segments } = await makeSegments({ seconds: 2, size: '320x180' });
      const body = segments[0]?.bytes ?? Buffer.of();
      const upload = await api('/upload/first?segment=0', { method: 'POST', body });
      assert.equal(upload.status, 201, upload.text);
      await waitFor('the first task', async () => (await desired()) === 1);
      await destroy();
    });
  },
  { guarded: true },
);
