/** The fleet as the tasks of one ECS service. */

import {
  DescribeServicesCommand,
  ECSClient,
  type Service,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { ScalableFleet } from '../ports/ports.ts';
import { type AwsConnection, CALL_TIMEOUTS, clientOptions } from './connection.ts';
import { errorName } from './retry.ts';

export type EcsServiceName = Readonly<{ cluster: string; service: string }>;

export class EcsWorkerFleet implements ScalableFleet {
  readonly type = 'scalable';
  readonly #name: EcsServiceName;
  readonly #client: ECSClient;

  constructor(connection: AwsConnection, { cluster, service }: EcsServiceName) {
    this.#name = { cluster, service };
    this.#client = new ECSClient(clientOptions(connection, CALL_TIMEOUTS));
  }

  async count(): Promise<Readonly<{ desired: number; running: number }>> {
    const { desiredCount = 0, runningCount = 0 } = await this.#describe();
    return { desired: desiredCount, running: runningCount };
  }

  async scaleTo(count: number): Promise<void> {
    const command = new UpdateServiceCommand({ ...this.#name, desiredCount: count });
    await this.#client.send(command).catch((error) => this.#explain(error));
  }

  close(): void {
    this.#client.destroy();
  }

  async #describe(): Promise<Service> {
    const { cluster, service } = this.#name;
    const command = new DescribeServicesCommand({ cluster, services: [service] });
    const answer = await this.#client.send(command).catch((error) => this.#explain(error));
    const found = answer.services?.[0];
    if (found?.status === 'ACTIVE') return found;
    throw this.#missing(found?.status ?? answer.failures?.[0]?.reason);
  }

  #explain(error: unknown): never {
    const name = errorName(error);
    if (!ABSENT.has(name)) throw error;
    throw this.#missing(name, error);
  }

  #missing(reason: string | undefined, cause?: unknown): Error {
    const { cluster, service } = this.#name;
    return new Error(
      `There is no active ECS service "${service}" in cluster "${cluster}" (${reason}). Deploy the workers, or set RIVULET_CLUSTER and RIVULET_SERVICE to those that are.`,
      { cause },
    );
  }
}

const ABSENT: ReadonlySet<string> = new Set([
  'ClusterNotFoundException',
  'ServiceNotFoundException',
  'ServiceNotActiveException',
]);
