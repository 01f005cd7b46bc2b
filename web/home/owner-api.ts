/** The owner's calls. Each throws `ApiError`. */

import { type ApiClient, ApiError, createApiClient } from '../../lib/api/client.ts';
import { readOwnerKey } from '../shared/owner-key.ts';

const TIMEOUT_MS = 15_000;

/** With the key as it is now. */
export const ownerApi = (): ApiClient =>
  createApiClient({ baseUrl: location.origin, key: readOwnerKey(), timeoutMs: TIMEOUT_MS });

export const hasStream = (api: ApiClient, videoId: string): Promise<boolean> =>
  api.getStream(videoId).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ApiError && error.code === 'stream_not_found') return false;
      throw error;
    },
  );
