/** The demo: the encoder client with its test pattern, while there is no other stream. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createApiClient } from '../../lib/api/client.ts';

export const DEMO_ID = 'demo';

export type Demo = Readonly<{
  /** At once, with its ffmpeg; its stream goes on or ends with the next start. */
  stop(): void;
}>;

const ENCODER = fileURLToPath(new URL('../encoder.ts', import.meta.url));
const END_WITH_PARENT = new URL('./end-group-with-parent.ts', import.meta.url).href;

/**
 * Starts it until there is another stream; undefined: it is not due. Then one that was cut off by the end of
 * the system before is ended, as nobody will go on with it.
 */
export async function startDemoIfDue(
  url: string,
  ownerKey: string,
  isWanted: boolean,
): Promise<Demo | undefined> {
  const api = createApiClient({ baseUrl: url, key: ownerKey });
  const streams = await api.listStreams();
  if (isWanted && streams.every(({ videoId }) => videoId === DEMO_ID)) {
    // What its owner has set since stays.
    if (streams.length === 0) await api.putStream(DEMO_ID, { title: 'Demo', listed: true });
    return startDemo(url, ownerKey);
  }
  const isCut = streams.some(({ videoId, state }) => videoId === DEMO_ID && state === 'live');
  if (isCut) await api.endStream(DEMO_ID);
  return undefined;
}

function startDemo(url: string, ownerKey: string): Demo {
  const options = ['testsrc', '--to', url, '--stream', DEMO_ID, '--quiet'];
  // A process group of its own: Ctrl-C reaches the parent only, which then ends the demo.
  const encoder = spawn(process.execPath, ['--import', END_WITH_PARENT, ENCODER, ...options], {
    env: { ...process.env, RIVULET_KEY: ownerKey },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  return { stop: () => killGroup(encoder) };
}

function killGroup(leader: ChildProcess): void {
  try {
    if (leader.pid !== undefined) process.kill(-leader.pid, 'SIGKILL');
  } catch {
    // It has ended, or the system knows no process groups.
    leader.kill('SIGKILL');
  }
}
