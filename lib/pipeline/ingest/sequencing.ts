/** Sequencing: an uploaded segment is present already, joins an encoder run, or begins a new one. */

import { DomainError } from '../../domain/errors.ts';
import { decideRun } from '../../domain/run.ts';
import type { SourceSegment } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import type { StreamRecords } from '../records/stream-records.ts';

export type SequencingQuestion = Readonly<{
  number: number;
  session?: string;
  pushed: boolean;
  /** It was pushed as a file under a name. */
  file?: unknown;
  digest: string;
}>;

export type Sequencing =
  | Readonly<{ type: 'present'; run: Run; segment: SourceSegment }>
  | Readonly<{ type: 'join'; run: Run; newest: SourceSegment }>
  /** A pushed file, whose number has other bytes: what it shows decides. */
  | Readonly<{ type: 'twin'; run: Run; segment: SourceSegment; newest: SourceSegment }>
  | Readonly<{ type: 'new_run'; run: number }>;

/** Throws `segment_conflict`, `run_superseded` or `number_too_far`. */
export async function decideSequence(
  records: StreamRecords,
  stream: Stream,
  { number, session, pushed, file, digest }: SequencingQuestion,
  nowMs: number,
): Promise<Sequencing> {
  const newestRun = await records.newestRun(stream);
  const nextRun = (newestRun?.run ?? 0) + 1;
  const current = session === undefined ? newestRun : await records.runOfSession(stream, session);
  if (!current || (session === undefined && current.explicit))
    return { type: 'new_run', run: nextRun };
  const [present, newest] = await Promise.all([
    records.findSegment(stream, current.run, number),
    records.newestSegment(stream, current.run),
  ]);
  const isRepeat = present?.digest === digest && number <= current.firstNumber;
  const answer = decideRun({
    number,
    digest,
    pushed,
    current,
    ...(session === undefined ? {} : { session }),
    ...(newest ? { highestNumber: newest.number } : {}),
    ...(present
      ? { present: { digest: present.digest, ageMs: nowMs - present.uploadedAtMs } }
      : {}),
    ...(isRepeat ? { isEnded: (await records.endRequest(stream))?.run === current.run } : {}),
    isRedundant: stream.settings.redundant,
  });
  if (answer === 'same_bytes' && present)
    return { type: 'present', run: current, segment: present };
  // A retry from before the encoder's restart is recognised by its bytes.
  const goesOn = newest !== undefined && number <= newest.number + 1;
  const before =
    session === undefined && !isRepeat && !(answer === 'join' && goesOn)
      ? await records.getRun(stream, current.run - 1)
      : undefined;
  const earlier = before && (await records.findSegment(stream, before.run, number));
  if (before && earlier?.digest === digest)
    return { type: 'present', run: before, segment: earlier };
  if (answer === 'join' && newest) {
    if (newestRun && current.run < newestRun.run)
      await requireOpenPlace(records, stream, current, newest, number);
    return { type: 'join', run: current, newest };
  }
  if (file !== undefined && present && present.digest !== digest && newest) {
    return { type: 'twin', run: current, segment: present, newest };
  }
  if (answer === 'other_bytes' && present) {
    if (stream.settings.redundant) return { type: 'present', run: current, segment: present };
    throw segmentConflict(number, present.digest);
  }
  return { type: 'new_run', run: nextRun };
}

export const segmentConflict = (number: number, digest?: string): DomainError =>
  new DomainError(
    'segment_conflict',
    `Segment ${number} of this session is stored with other bytes${digest ? ` (sha-256 ${digest})` : ''}.`,
    'Give each segment its own number; send a new ?session=NAME when the encoder restarts.',
  );

/** A run that another has followed takes only what was missing inside it. */
async function requireOpenPlace(
  records: StreamRecords,
  stream: Stream,
  run: Run,
  newest: SourceSegment,
  number: number,
): Promise<void> {
  const { value: timeline } = await records.timeline(stream);
  if (number < newest.number || timeline.run <= run.run) return;
  throw new DomainError(
    'run_superseded',
    `Session "${run.session}" was followed by another before segment ${number} came.`,
    'Start a new session: ?session=NAME.',
  );
}
