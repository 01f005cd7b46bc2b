/** The workers' service on ECS, as the scaling decision sees and sets it. */

import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { type AwsConnection, CALL_TIMEOUTS, clientOptions } from '../../lib/aws/connection.ts';
import type { ScaledService } from '../scale.ts';

export function ecsService(
  connection: AwsConnection,
  { cluster, service }: Readonly<{ cluster: string; service: string }>,
): ScaledService {
  const client = new ECSClient(clientOptions(connection, CALL_TIMEOUTS));
  return {
    async count() {
      const command = new DescribeServicesCommand({ cluster, services: [service] });
      const { services = [], failures = [] } = await client.send(command);
      const [found] = services;
      if (found?.status !== 'ACTIVE') {
        const reason = found?.status ?? failures[0]?.reason;
        throw new Error(`ECS has no active service ${service} in ${cluster}: ${reason}`);
      }
      return { desired: found.desiredCount ?? 0, running: found.runningCount ?? 0 };
    },
    async setDesired(desiredCount) {
      await client.send(new UpdateServiceCommand({ cluster, service, desiredCount }));
    },
  };
}
