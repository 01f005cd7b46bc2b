/** The owner key: only its hash stays in memory, and nothing of it in the environment. */

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CALL_TIMEOUTS, clientOptions } from '../../lib/aws/connection.ts';
import { hashKey } from '../../lib/pipeline/auth.ts';
import { afterStart } from './after-start.ts';
import { setting } from './function-environment.ts';
import { clock, config } from './ports.ts';

/** A key that was changed counts everywhere after this time. */
const FRESH_MS = 5 * 60_000;

export type OwnerKey = Readonly<{
  /** sha-256, hex. Throws before the first `refresh`. */
  readonly hash: string;
  /** For the start of each invocation: there is a key then, and none that is old. */
  refresh(): Promise<void>;
}>;

/** Begins to read the secret as soon as the function has started, before anybody asks for it. */
export function ownerKeyFromSecret(): OwnerKey {
  const client = new SecretsManagerClient(clientOptions(config.connection, CALL_TIMEOUTS));
  const command = new GetSecretValueCommand({ SecretId: setting('RIVULET_OWNER_KEY_SECRET') });
  let hash: string | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const read = async (): Promise<void> => {
    const { SecretString } = await client.send(command);
    if (!SecretString) throw new Error('The secret of the owner key has no text.');
    hash = hashKey(SecretString);
    readAtMs = clock.now();
  };
  // Between its start and its first invocation a function may be frozen, and the answer lost: the
  // invocation then reads again.
  const atStart = afterStart(read).catch(() => {});
  return {
    get hash() {
      if (hash === undefined) throw new Error('The owner key was not read yet.');
      return hash;
    },
    async refresh() {
      await atStart;
      if (clock.now() - readAtMs >= FRESH_MS) await read();
    },
  };
}
