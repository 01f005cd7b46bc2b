/** What a job makes of a source segment for one rendition. */

import type { RenditionInfo } from '../../domain/timeline.ts';

export type TranscodedRendition = Readonly<{
  /** CMAF header: `ftyp`, `moov`. The same bytes for all segments of a run. */
  init: Uint8Array;
  /** One CMAF fragment: `moof`, `mdat`. */
  media: Uint8Array;
  info: RenditionInfo;
}>;
