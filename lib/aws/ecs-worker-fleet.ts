/** The fleet as the tasks of one ECS service. */

import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { Clock, StreamIndex, WorkerFleet } from '../pipeline/ports.ts';
import { type AwsConnection, CALL_TIMEOUTS, clientOptions } from './connection.ts';
import { errorName } from './retry.ts';

export type EcsWorkerFleetOptions = Readonly<{
  cluster: string;
  service: string;
  index: StreamIndex;
  clock: Clock;
}>;

/** For so long nobody else asks ECS for as many workers or fewer. */
const CLAIM_MS = 10_000;

type Claim = Readonly<{ count: number; untilMs: number }>;

export class EcsWorkerFleet implements WorkerFleet {
  readonly scalesToZero = true;
  readonly #options: EcsWorkerFleetOptions;
  readonly #client: ECSClient;
  #known: Claim = { count: 0, untilMs: 0 };

  constructor(connection: AwsConnection, options: EcsWorkerFleetOptions) {
    this.#options = options;
    this.#client = new ECSClient(clientOptions(connection, CALL_TIMEOUTS));
  }

  async running(): Promise<number> {
    const { runningCount = 0, pendingCount = 0 } = await this.#describe();
    return runningCount + pendingCount;
  }

  /** However many uploads race, one of them calls ECS. */
  async ensure(count: number): Promise<void> {
    if (count <= 0 || this.#covers(this.#known, count)) return;
    const partition = `fleet/${this.#options.cluster}/${this.#options.service}`;
    const { index } = this.#options;
    for (;;) {
      const item = await index.get(partition, 'start');
      const held = item?.value as Claim | undefined;
      if (held && this.#covers(held, count)) {
        this.#known = held;
        return;
      }
      const untilMs = this.#options.clock.now() + CLAIM_MS;
      const claim: Claim = { count, untilMs };
      const expect = item?.version ?? 0;
      const place = { partition, sort: 'start' };
      const put = { type: 'put', ...place, value: claim, expect, expiresAtMs: untilMs } as const;
      if (!(await index.write([put]))) continue;
      try {
        await this.#start(count);
      } catch (error) {
        // The next one shall try again at once.
        await index.write([{ type: 'delete', ...place, expect: expect + 1 }]);
        throw error;
      }
      this.#known = claim;
      return;
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #covers(claim: Claim, count: number): boolean {
    return claim.count >= count && claim.untilMs > this.#options.clock.now();
  }

  async #start(count: number): Promise<void> {
    const { desiredCount = 0 } = await this.#describe();
    if (desiredCount >= count) return;
    const { cluster, service } = this.#options;
    const command = new UpdateServiceCommand({ cluster, service, desiredCount: count });
    await this.#client.send(command).catch((error) => this.#explain(error));
  }

  async #describe() {
    const { cluster, service } = this.#options;
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
    const { cluster, service } = this.#options;
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
