/** Reads a source segment of any container that we take. */

import { DomainError } from '../../domain/errors.ts';
import { describeContainer, recognizeContainer } from './container.ts';
import { readIsoMedia } from './mp4.ts';
import { readTransportStream } from './mpegts.ts';
import type { SourceMedia } from './source-media.ts';

export async function readSource(bytes: Uint8Array, init?: Uint8Array): Promise<SourceMedia> {
  const container = recognizeContainer(bytes);
  switch (container) {
    case 'ts':
      return readTransportStream(bytes);
    case 'iso':
      return readIsoMedia(bytes, init);
    default:
      throw new DomainError(
        'unsupported_media',
        `The body is ${describeContainer(container)}.`,
        container === 'matroska'
          ? 'Send MPEG-TS or fragmented MP4; in a browser use MediaRecorder with video/mp4, or mediabunny.'
          : 'Send segments as MPEG-TS, fragmented MP4 or MP4 (ffmpeg: -f hls).',
      );
  }
}
