/** Numbers of pushed files by their names: the same name has the same number, whenever it comes again. */

import { DomainError } from '../../domain/errors.ts';
import {
  matchesVariant,
  type NamedNumber,
  numberByName,
  sameFile,
  segmentNumberOfName,
  type VariantPattern,
  variantPattern,
  withVariantPattern,
} from '../../domain/segment-names.ts';
import type { Stream } from '../../domain/stream.ts';
import type { PushNaming, Versioned } from '../records/record-types.ts';
import type { StreamRecords } from '../records/stream-records.ts';

/** Names that numbers are told from, of the newest files. */
const KEPT_NAMES = 16;
export const KEPT_VARIANTS = 16;
const MAX_RACES = 20;

export type AssignedName = Readonly<{
  number: number;
  /** All names so far count alike. */
  isProven: boolean;
  /** The name was not known before. */
  isNew: boolean;
}>;

export async function assignNumber(
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  name: string,
  /** As it was read just now. */
  read?: Versioned<PushNaming>,
): Promise<AssignedName> {
  const scope = session ?? '';
  for (let race = 0; race < MAX_RACES; race += 1) {
    const naming = (race === 0 && read) || (await records.pushNaming(stream, scope));
    const { names, listed } = naming.value;
    const exact = sameFile(name, names);
    if (exact) return { number: exact.number, isProven: false, isNew: false };
    const numbering = numberByName(name, names, listed);
    if (numbering.basis === 'counter') {
      return { number: numbering.number, isProven: true, isNew: false };
    }
    const before = await records.numberOfName(stream, scope, name);
    if (before !== undefined) return { number: before, isProven: false, isNew: false };
    const guess = names.length === 0 ? segmentNumberOfName(name) : undefined;
    const number =
      numbering.basis === 'guess'
        ? numbering.number
        : (guess ?? (await nextInOrder(records, stream, session, names)));
    const value = withNames(naming.value, [{ name, number }]);
    const written = await records.writePushNaming(stream, scope, { ...naming, value }, [
      { name, number },
    ]);
    if (written) return { number, isProven: false, isNew: true };
  }
  throw new DomainError(
    'unavailable',
    `Too many files are being pushed beside "${name}".`,
    'Send it again in a second.',
  );
}

/** Behind all that came. */
export async function nextInOrder(
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  names: readonly NamedNumber[],
): Promise<number> {
  const run = await (session === undefined
    ? records.newestRun(stream)
    : records.runOfSession(stream, session));
  const newest = run && (await records.newestSegment(stream, run.run));
  return Math.max(newest?.number ?? -1, names.at(-1)?.number ?? -1) + 1;
}

export const withNames = (naming: PushNaming, names: readonly NamedNumber[]): PushNaming => ({
  ...naming,
  names: [...naming.names, ...names].slice(-KEPT_NAMES),
});

/** Changes the naming, again when another process was faster. */
export async function changeNaming(
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  change: (naming: PushNaming) => PushNaming,
  named: readonly NamedNumber[] = [],
  released?: string,
): Promise<void> {
  const scope = session ?? '';
  for (let race = 0; race < MAX_RACES; race += 1) {
    const before: Versioned<PushNaming> = await records.pushNaming(stream, scope);
    const after = { ...before, value: change(before.value) };
    if (await records.writePushNaming(stream, scope, after, named, released)) return;
  }
}

/** A file that was not taken leaves its number to the next. */
export const releaseName = (
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  name: string,
  isNew: boolean,
  keptName?: string,
): Promise<void> | undefined => {
  const pattern = keptName === undefined ? undefined : variantPattern(name, keptName);
  return isNew || pattern
    ? changeNaming(
        records,
        stream,
        session,
        (naming) => ({
          ...naming,
          names: isNew ? naming.names.filter((one) => one.name !== name) : naming.names,
          ignored: withIgnored(naming.ignored, pattern, keptName),
        }),
        [],
        isNew ? name : undefined,
      )
    : undefined;
};

const withIgnored = (
  ignored: PushNaming['ignored'],
  pattern: VariantPattern | undefined,
  kept = '',
): PushNaming['ignored'] =>
  pattern ? withVariantPattern(ignored, pattern, kept).slice(-KEPT_VARIANTS) : ignored;

/**
 * A file got another number than its name said: names are used in turn, or something else in them
 * counts. What was told from them no longer holds.
 */
export const renumberName = (
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  named: NamedNumber,
): Promise<void> =>
  changeNaming(
    records,
    stream,
    session,
    ({ names, ...naming }) => ({
      ...naming,
      names: [...names.filter((one) => one.number < named.number).slice(-1), named],
    }),
    [named],
  );

/** The files that are made like `left` are another variant than `kept`, which is in the stream from now on. */
export const changeVariant = (
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  kept: NamedNumber,
  left: string,
): Promise<void> => {
  const pattern = variantPattern(left, kept.name);
  return changeNaming(
    records,
    stream,
    session,
    (naming) => ({
      ...naming,
      names: [
        ...naming.names.filter(
          ({ name }) =>
            name !== left && name !== kept.name && !(pattern && matchesVariant(name, [pattern])),
        ),
        kept,
      ],
      ignored: withIgnored(naming.ignored, pattern, kept.name),
    }),
    [kept],
  );
};

/** The files of a variant that was left out are no longer. */
export const takeVariant = (
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  name: string,
): Promise<void> =>
  changeNaming(records, stream, session, (naming) => ({
    ...naming,
    ignored: naming.ignored.filter((pattern) => !matchesVariant(name, [pattern])),
  }));
