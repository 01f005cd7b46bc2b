/** Closed captions in the video (CTA-608), as the segments carry them: pairs of bytes with times. Pure. */

export const CAPTION_CHANNELS = ['CC1', 'CC2', 'CC3', 'CC4'] as const;
export type CaptionChannel = (typeof CAPTION_CHANNELS)[number];

/** `bytes`: without parity. */
export type CaptionPair = Readonly<{
  ticks: number;
  field: 1 | 2;
  bytes: readonly [number, number];
}>;
