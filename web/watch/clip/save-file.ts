/** Saves a file that the server makes when it is asked for it. */

import type { ErrorBody, FileProgress } from '../../../lib/api/messages.ts';

const WAIT_SECONDS = 10;

/** Resolves when the browser downloads it. Throws Error with what the server says, and the signal's reason. */
export async function saveFile(
  path: string,
  name: string,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    // The file itself is not for this page: a redirect says that it is there.
    const options = { redirect: 'manual', cache: 'no-store', signal } as const;
    const response = await fetch(`${path}&wait=${WAIT_SECONDS}`, options);
    if (response.type === 'opaqueredirect') break;
    if (response.status !== 202) {
      const said: Partial<ErrorBody> = await response.json().catch(() => ({}));
      throw new Error(said.message ?? `The server answered ${response.status}.`);
    }
    const { progress, retryAfterSeconds }: FileProgress = await response.json();
    onProgress(progress);
    await new Promise((resolve) => setTimeout(resolve, 500 * retryAfterSeconds));
    signal.throwIfAborted();
  }
  const link = document.createElement('a');
  link.href = path;
  link.download = name;
  link.click();
}
