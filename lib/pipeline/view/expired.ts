/** What viewers are told of media that retention has removed. */

import { DomainError } from '../../domain/errors.ts';
import type { Kept } from '../../domain/retention/kept.ts';
import type { Stream } from '../../domain/stream.ts';

/** `expired`, with how long recordings are kept and what there is. */
export function expired({ videoId, settings }: Stream, { first }: Kept): DomainError {
  const { days } = settings.retention ?? {};
  const howLong =
    days === undefined ? '' : `: recordings are kept for ${days} ${days === 1 ? 'day' : 'days'}`;
  return new DomainError(
    'expired',
    `This part of stream "${videoId}" has expired${howLong}.`,
    first
      ? `It has what was on air since ${new Date(first.programDateTimeMs).toISOString()}.`
      : 'Nothing of it is left.',
  );
}
