/** Takes a source segment apart, in whichever format it came. */

import { DomainError } from '../../domain/errors.ts';
import type { SourceFormat } from '../../domain/media-format.ts';
import type { DemuxedSegment, Demuxer } from './demuxed-segment.ts';
import { mp4 } from './mp4.ts';
import { mpegTs } from './mpegts.ts';
import { describeUnsupported } from './unsupported-formats.ts';

const DEMUXERS: Readonly<Record<SourceFormat, Demuxer>> = { ts: mpegTs, mp4, fmp4: mp4 };

/**
 * `init`: for fragments whose init segment came apart. Throws DomainError: `empty_body`,
 * `unsupported_media`, and what the format's demuxer throws.
 */
export async function demuxSegment(bytes: Uint8Array, init?: Uint8Array): Promise<DemuxedSegment> {
  const demuxer = findDemuxer(bytes);
  if (demuxer) return demuxer.read(bytes, init);
  const { name, hint } = describeUnsupported(bytes);
  throw new DomainError('unsupported_media', `The body is ${name}.`, hint);
}

/** A name of the format, to follow "This is". Throws `empty_body`. */
export const describeFormat = (bytes: Uint8Array): string =>
  findDemuxer(bytes)?.formatName ?? describeUnsupported(bytes).name;

function findDemuxer(bytes: Uint8Array): Demuxer | undefined {
  if (bytes.byteLength === 0) {
    throw new DomainError(
      'empty_body',
      'The body has no bytes.',
      'Send the segment as the body of the request.',
    );
  }
  return Object.values(DEMUXERS).find((demuxer) => demuxer.recognizes(bytes));
}
