/** The owner key: only its hash stays in memory, and nothing of it in the environment. */

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CALL_TIMEOUTS, clientOptions } from '../../lib/aws/connection.ts';
import { hashKey } from '../../lib/pipeline/access.ts';
import { clock, config } from './ports.ts';
import { setting } from './settings.ts';

/** A key that was changed counts everywhere after this time. */
const FRESH_MS = 5 * 60_000;

export type OwnerKey = Readonly<{
  /** sha-256, hex. */
  hash: string;
  /** Reads the secret again if that was long ago. */
  refresh(): Promise<void>;
}>;

/** Reads the secret once, at the cold start. */
export async function readOwnerKey(): Promise<OwnerKey> {
  const client = new SecretsManagerClient(clientOptions(config.connection, CALL_TIMEOUTS));
  const command = new GetSecretValueCommand({ SecretId: setting('RIVULET_OWNER_KEY_SECRET') });
  const read = async (): Promise<string> => {
    const { SecretString } = await client.send(command);
    if (!SecretString) throw new Error('The secret of the owner key has no text.');
    return hashKey(SecretString);
  };
  let hash = await read();
  let readAtMs = clock.now();
  return {
    get hash() {
      return hash;
    },
    async refresh() {
      if (clock.now() - readAtMs < FRESH_MS) return;
      hash = await read();
      readAtMs = clock.now();
    },
  };
}
