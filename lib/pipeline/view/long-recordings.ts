/**
 * Playlists of long recordings. No request waits until they are made and no process keeps them as text:
 * a job makes and stores them (`jobs/recording-playlists.ts`), and they are sent as they are stored.
 */

import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { DomainError } from '../../domain/errors.ts';
import { compressedKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import {
  type RequestDeps,
  requestRecordingPlaylists,
} from '../jobs/recording-playlists-request.ts';
import { type Document, tagOf } from './document.ts';
import { uriOf } from './listed-segment.ts';

/** The one of a key, of a stream that has ended. Throws `not_ready` if it is not stored, and requests it. */
export async function longRecording(
  deps: RequestDeps & Pick<Deps, 'media'>,
  stream: Stream,
  state: TimelineState,
  key: string,
  contentType: string,
): Promise<Document> {
  const { media } = deps;
  const gzip = await media.get(compressedKey(key));
  if (!gzip) {
    await requestRecordingPlaylists(deps, stream);
    throw notReady(stream, state);
  }
  return {
    gzip,
    etag: tagOf(key),
    get text() {
      return gunzipSync(gzip).toString();
    },
    async store() {
      if (!(await media.head(key))) {
        const plain = await promisify(gunzip)(gzip);
        await media.put(key, plain, contentType);
      }
      return uriOf(key);
    },
  };
}

const notReady = ({ videoId }: Stream, { nextSequence }: TimelineState): DomainError =>
  new DomainError(
    'not_ready',
    `The recording of "${videoId}" has ${nextSequence} entries; its playlists are not made yet.`,
    'A worker makes them, which takes about a minute for a week. Ask again then, or leave view=vod out for the live playlist.',
  );
