/** The timeline of a stream: which segments a viewer may be shown, in order. */

/** One rendition's piece of an entry. */
export type EntryRendition = Readonly<{
  /** Object key of the media segment. */
  key: string;
  /** Object key of the init segment that goes with it. */
  initKey: string;
  sizeBytes: number;
}>;

/** What a rendition is; the same for all its segments of one run. */
export type RenditionInfo =
  | Readonly<{
      kind: 'video';
      codecString: string;
      widthPx: number;
      heightPx: number;
      framesPerSecond: number;
    }>
  | Readonly<{
      kind: 'audio';
      codecString: string;
      channels: number;
      sampleRateHz: number;
      language: string;
    }>;

/** Written once by the publisher and never changed. */
export type TimelineEntry = Readonly<{
  /** Media sequence number: 0, 1, 2 … through the whole life of the stream. */
  sequence: number;
  run: number;
  number: number;
  startTicks: number;
  durationTicks: number;
  /** From the start of the stream, sum of all durations before. */
  offsetTicks: number;
  programDateTimeMs: number;
  /** EXT-X-DISCONTINUITY stands before this entry. */
  discontinuity: boolean;
  /** How many discontinuities the stream has had up to and including this entry. */
  discontinuities: number;
  /** Empty for a gap. */
  renditions: Readonly<Record<string, EntryRendition>>;
}>;
