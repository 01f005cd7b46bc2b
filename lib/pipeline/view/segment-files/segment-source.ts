/** The source of a segment as a file of its own: as the encoder sent it, or one of its languages alone. */

import { audioRenditionName, audioSlots } from '../../../domain/audio-slots.ts';
import { DomainError } from '../../../domain/errors.ts';
import {
  type DownloadFormat,
  formatsCarrying,
  listCodecs,
  listWords,
} from '../../../domain/media-format.ts';
import type { SourceSegment } from '../../../domain/segment.ts';
import type { SourceTrack } from '../../../media/mux/remux.ts';
import type { Deps } from '../../deps.ts';
import type { Moment } from './segment-moment.ts';

/** Packaging takes memory several times its size, and viewers need no key. */
const MAX_SOURCE_BYTES = 64_000_000;

export type SegmentSource = Readonly<{
  segment: SourceSegment;
  /** Left out: all of its tracks. */
  audio?: readonly SourceTrack[];
}>;

/**
 * `audio`: the rendition whose track alone is wanted. Throws `moment_not_found`, `rendition_not_found`,
 * `too_large`, and `unsupported_format` with the formats that can carry it.
 */
export async function findSource(
  { records }: Deps,
  { stream, entry }: Moment,
  format: DownloadFormat,
  audio: string | undefined,
): Promise<SegmentSource> {
  const [segment, run] = await Promise.all([
    records.findSegment(stream, entry.run, entry.number),
    records.getRun(stream, entry.run),
  ]);
  if (!segment) throw notKept(entry);
  const { facts, sizeBytes } = segment;
  if (sizeBytes > MAX_SOURCE_BYTES) {
    throw new DomainError(
      'too_large',
      `The source of segment ${entry.number} has ${sizeBytes} bytes; up to ${MAX_SOURCE_BYTES} are made into a file.`,
      'Ask for one of the renditions (resolution=720p).',
    );
  }
  const slots = audioSlots(run?.audio ?? [], facts.audio);
  const tracks = facts.audio.filter(
    (_, index) => audio === undefined || audioRenditionName(slots[index] ?? 0) === audio,
  );
  if (audio !== undefined && tracks.length === 0) {
    throw new DomainError(
      'rendition_not_found',
      `The source of segment ${entry.number} has no sound in that language.`,
      'Ask for one of the renditions (resolution=720p), or leave lang out.',
    );
  }
  const codecs = [...(facts.video ? [facts.video.codec] : []), ...tracks.map(({ codec }) => codec)];
  const carrying = formatsCarrying(codecs);
  if (!carrying.includes(format)) {
    throw new DomainError(
      'unsupported_format',
      `The source of segment ${entry.number} has ${listCodecs(codecs, 'and')}, which ${format} cannot carry.`,
      `Ask for ${listWords(carrying.map((name) => `format=${name}`))}, or for one of the renditions (resolution=720p).`,
    );
  }
  // As it came, byte by byte.
  if (audio === undefined && facts.container === 'ts' && format === 'ts') return { segment };
  return { segment, audio: tracks.map(({ trackId, language }) => ({ trackId, language })) };
}

export async function readSource(
  { media }: Deps,
  { segment }: SegmentSource,
): Promise<{ bytes: Uint8Array; init?: Uint8Array }> {
  const { sourceKey, initKey } = segment;
  const bytes = await media.get(sourceKey);
  if (!bytes) throw notKept(segment);
  const init = initKey === undefined ? undefined : await media.get(initKey);
  return { bytes, ...(init ? { init } : {}) };
}

const notKept = ({ number }: Readonly<{ number: number }>): DomainError =>
  new DomainError(
    'moment_not_found',
    `The source of segment ${number} is not kept.`,
    'Ask for one of the renditions (resolution=720p).',
  );
