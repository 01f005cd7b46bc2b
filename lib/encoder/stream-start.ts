/** Where a file that is a language of a stream begins. */

import { type ApiClient, ApiError } from '../api/client.ts';
import type { EncodeCommand } from './command.ts';
import type { ServerLink } from './server-link.ts';

/** Unix time in milliseconds. undefined: the stream has not begun, or the file is no language of it. */
export async function startOfStream(
  api: ApiClient,
  link: ServerLink,
  { sound, videoId }: Pick<EncodeCommand, 'sound' | 'videoId'>,
): Promise<number | undefined> {
  if (!sound) return undefined;
  try {
    const { startedAt } = await link.call((signal) => api.getState(videoId, { signal }));
    return startedAt === undefined ? undefined : Date.parse(startedAt);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
