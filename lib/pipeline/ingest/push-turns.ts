/**
 * The first files of an encoder are taken one after the other, whatever comes at once: what counts in their
 * names, and which of them are another variant, shows only then.
 */

import { pause } from '../../base/retry.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import type { PushNaming } from '../records/record-types.ts';
import { changeNaming } from './push-naming.ts';

/** Of all variants together. */
const FIRST_FILES = 8;
const POLL_MS = 25;
/** A file that has its turn for longer has lost its process. */
const MAX_TURN_MS = 10_000;
const MAX_WAIT_MS = 15_000;
const MAX_TURNS = 32;

export const isFirstFile = ({ names }: PushNaming): boolean => names.length < FIRST_FILES;

/** Does the work when all files that came before have been taken, or left out. */
export async function inTurn<Result>(
  deps: Deps,
  stream: Stream,
  session: string | undefined,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { records, clock } = deps;
  const turn = { name, atMs: clock.now() };
  const isOwn = (one: typeof turn): boolean => one.name === name && one.atMs === turn.atMs;
  await changeNaming(records, stream, session, (naming) => ({
    ...naming,
    turns: [...(naming.turns ?? []), turn].slice(-MAX_TURNS),
  }));
  try {
    const deadlineMs = performance.now() + MAX_WAIT_MS;
    for (;;) {
      const { value } = await records.pushNaming(stream, session ?? '');
      const { turns = [] } = value;
      const before = turns.slice(0, Math.max(0, turns.findIndex(isOwn)));
      const isFree = before.every(({ atMs }) => Math.abs(clock.now() - atMs) > MAX_TURN_MS);
      if (isFree || performance.now() >= deadlineMs) return await work();
      await pause(POLL_MS);
    }
  } finally {
    await changeNaming(records, stream, session, ({ turns = [], ...naming }) => {
      const others = turns.filter((one) => !isOwn(one));
      return others.length > 0 ? { ...naming, turns: others } : naming;
    });
  }
}
