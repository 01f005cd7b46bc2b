/**
 * What a receipt says about a segment that was taken, though not all of it could be used or some of it
 * was put right. For the encoder's operator: nothing has to be sent again.
 */

export type NoticeCode =
  /** Bytes were lost or damaged on their way; what could be decoded is kept. */
  | 'damaged'
  /** A track is left out: nobody can play it here, or it is data. */
  | 'track_ignored'
  /** Of several programs in a transport stream one is taken. */
  | 'program_ignored'
  /** A whole file had subtitles; they are kept as WebVTT. */
  | 'subtitles'
  /** The encoder's clock stepped inside the segment; the step was taken out. */
  | 'clock_step'
  /** Size, rate or channels change inside the segment. */
  | 'format_changed'
  /** Longer than the target duration: it is listed in several pieces. */
  | 'long_segment'
  /** Another variant of the same stream was pushed to the address. */
  | 'variant_ignored'
  /** Other bytes came under the name of a segment that is not listed yet, and took its place. */
  | 'replaced'
  /** Other bytes came under the name of a segment that is listed already, and were not taken. */
  | 'kept_listed';

export type Notice = Readonly<{
  code: NoticeCode;
  /** One sentence: what was found, with its count or name, and what became of it. */
  message: string;
}>;

/** A damaged segment has thousands of faults; a receipt tells of a few kinds. */
const MAX_NOTICES = 16;
/** Foreign bytes may name thousands of programs, sizes or formats. */
const MAX_MESSAGE_CHARACTERS = 500;

/** One of each message, in order, as many and as long as a receipt holds. */
export const limitNotices = (notices: readonly Notice[]): readonly Notice[] =>
  [...new Map(notices.map((notice) => [notice.message, notice])).values()]
    .slice(0, MAX_NOTICES)
    .map(({ code, message }) => ({ code, message: shortened(message) }));

/** A message that foreign bytes may have made long. */
export const shortened = (message: string): string =>
  message.length <= MAX_MESSAGE_CHARACTERS
    ? message
    : `${message.slice(0, MAX_MESSAGE_CHARACTERS)} …`;
