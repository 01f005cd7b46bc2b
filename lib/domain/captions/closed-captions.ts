/** Closed captions in the video (CTA-608), as the segments carry them: pairs of bytes with times. Pure. */

export const CAPTION_CHANNELS = ['CC1', 'CC2', 'CC3', 'CC4'] as const;
export type CaptionChannel = (typeof CAPTION_CHANNELS)[number];

/** `bytes`: without parity. */
export type CaptionPair = Readonly<{
  ticks: number;
  field: 1 | 2;
  bytes: readonly [number, number];
}>;

const ERASE_DISPLAYED_MEMORY = 0x2c;
const CARRIAGE_RETURN = 0x2d;
const END_OF_CAPTION = 0x2f;
/** A screen that scrolls has four rows at most, and commands are sent twice. */
const SCROLLS = 2 * 4;

const indexOf = (channel: string): number =>
  (CAPTION_CHANNELS as readonly string[]).indexOf(channel);

/** Two channels share each field. */
export const fieldOf = (channel: string): 1 | 2 => (indexOf(channel) < 2 ? 1 : 2);

/** Miscellaneous control codes of a channel (CTA-608-E, table 52): the second of a field has a bit of its own. */
export function isCommandOf({ field, bytes: [first] }: CaptionPair, channel: string): boolean {
  const isSecond = indexOf(channel) % 2 === 1;
  const isCommand = (first & 0x76) === 0x14 && ((first & 0x08) !== 0) === isSecond;
  return field === fieldOf(channel) && isCommand;
}

/**
 * When the newest command came that says by itself what a channel shows at `atTicks`: another caption, nothing,
 * or as many new rows as there can be. undefined: none in these pairs, so what was sent before counts.
 */
export function settledAt(
  pairs: readonly CaptionPair[],
  channel: string,
  atTicks: number,
): number | undefined {
  let scrolls = 0;
  for (const pair of pairs.toReversed()) {
    if (pair.ticks > atTicks || !isCommandOf(pair, channel)) continue;
    const [, command] = pair.bytes;
    if (command === CARRIAGE_RETURN) scrolls += 1;
    const isNew = command === ERASE_DISPLAYED_MEMORY || command === END_OF_CAPTION;
    if (isNew || scrolls === SCROLLS) return pair.ticks;
  }
  return undefined;
}
