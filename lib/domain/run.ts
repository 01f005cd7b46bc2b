/** Which encoder run a segment belongs to. Pure. */

import { DomainError } from './errors.ts';
import type { Run } from './stream.ts';
import { TICKS_PER_SECOND } from './ticks.ts';

/** More numbers ahead than an hour of the shortest segments: a mistake, not missing segments. */
const MAX_NUMBER_JUMP = 10_000;

/** Numbers may come out of order by as many as an encoder uploads at once, generously. */
const MAX_DISORDER = 64;

/** Timestamps of one run never go back further than reordering and rounding can explain. */
const MAX_TIME_REVERSAL_TICKS = TICKS_PER_SECOND;

export type RunQuestion = Readonly<{
  number: number;
  session?: string;
  digest: string;
  /** Encoders that push files under names cannot send `session`; a restart shows in the numbers alone. */
  pushed: boolean;
  /** The run that the segment would join: the one of its session, else the newest without a name. */
  current?: Run;
  highestNumber?: number;
  /** The segment that has this number in that run. */
  present?: Readonly<{ digest: string; ageMs: number }>;
  /** The encoder has ended the run. */
  isEnded?: boolean;
  /** Several encoders send the same segments, each in its own time. */
  isRedundant?: boolean;
}>;

export type RunAnswer = 'same_bytes' | 'other_bytes' | 'join' | 'new_run';

/** Throws `number_too_far` for a number that no encoder can have reached. */
export function decideRun(question: RunQuestion): RunAnswer {
  const { number, current, highestNumber, present } = question;
  if (!current || highestNumber === undefined) return 'new_run';
  const mayRestart = question.session === undefined;
  if (present !== undefined) {
    if (present.digest === question.digest) {
      return mayRestart && startsOver(question, current, highestNumber) ? 'new_run' : 'same_bytes';
    }
    const isFirst = number <= current.firstNumber && highestNumber > number;
    return mayRestart && (question.pushed || isFirst) ? 'new_run' : 'other_bytes';
  }
  if (mayRestart && number < current.firstNumber - MAX_DISORDER) return 'new_run';
  if (number > highestNumber + MAX_NUMBER_JUMP) {
    if (question.pushed) return 'new_run';
    throw new DomainError(
      'number_too_far',
      `Segment ${number} is ${number - highestNumber} ahead of the newest, ${highestNumber}.`,
      'Number segments without jumps; send a new ?session=NAME when the encoder restarts.',
    );
  }
  return 'join';
}

/** Encoders that push files do not send an old one again; others try for some seconds. */
const MAX_RETRY = { pushed: { numbers: 1, ageMs: 5000 }, posted: { numbers: 2, ageMs: 10_000 } };

/**
 * Whether a run's first segment that comes again with the same bytes begins the same file once more. A
 * retry is one of the newest segments, or comes soon.
 */
function startsOver(
  { number, present, pushed, isEnded, isRedundant }: RunQuestion,
  { firstNumber }: Run,
  highestNumber: number,
): boolean {
  if (isRedundant || number > firstNumber || !present) return false;
  const behind = highestNumber - number;
  const limit = pushed ? MAX_RETRY.pushed : MAX_RETRY.posted;
  if (isEnded) return behind > 0 || present.ageMs > limit.ageMs;
  return pushed
    ? behind > limit.numbers || (behind > 0 && present.ageMs > limit.ageMs)
    : behind > limit.numbers && present.ageMs > limit.ageMs;
}

/** A later number with an earlier time: the encoder restarted and went on counting. */
export const timeStartsOver = (
  number: number,
  startTicks: number,
  newest: Readonly<{ number: number; startTicks: number }>,
): boolean => number > newest.number && startTicks < newest.startTicks - MAX_TIME_REVERSAL_TICKS;
