/**
 * Playlists of recordings that are so long that a process neither keeps them in memory nor makes them twice:
 * those of all renditions are made in one reading of the entries, compressed as they grow, and stored.
 * A week in segments of two seconds has 302,400 entries: 42 MB as text, 4 MB compressed.
 */

import { promisify } from 'node:util';
import { createGzip, type Gzip, gunzip, gunzipSync } from 'node:zlib';
import { MarkerLog } from '../../domain/marker-log.ts';
import { HLS_PLAYLIST } from '../../domain/media-format.ts';
import { recordingPlaylistKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { type Document, GZIP_LEVEL, tagOf } from './document.ts';
import { uriOf } from './listed-segment.ts';
import { recordingTexts } from './recording-playlists.ts';

type Parts = Pick<Deps, 'records' | 'media'>;

/** Of a stream that has ended. What is stored is named by what it holds: a later version has another name. */
export async function longRecording(
  parts: Parts,
  stream: Stream,
  state: TimelineState,
  rendition: string,
): Promise<Document> {
  const key = recordingPlaylistKey(stream, rendition, state);
  const stored = await parts.media.get(gzipKey(key));
  const gzip = stored ?? (await makeAll(parts, stream, state, rendition));
  return {
    gzip,
    etag: tagOf(key),
    get text() {
      return gunzipSync(gzip).toString();
    },
    async store() {
      if (!(await parts.media.head(key))) {
        const plain = await promisify(gunzip)(gzip);
        await parts.media.put(key, plain, HLS_PLAYLIST.contentType);
      }
      return uriOf(key);
    },
  };
}

const gzipKey = (key: string): string => `${key}.gz`;

/** Those of the other renditions are asked for next. */
async function makeAll(
  { records, media }: Parts,
  stream: Stream,
  state: TimelineState,
  rendition: string,
): Promise<Uint8Array> {
  const names = Object.keys(state.renditions);
  const growing = names.map(() => new GrowingGzip());
  for await (const texts of recordingTexts(records, stream, state, names, new MarkerLog())) {
    await Promise.all(growing.map((gzip, index) => gzip.append(texts[index] ?? '')));
  }
  const made = await Promise.all(growing.map((gzip) => gzip.end()));
  await Promise.all(
    names.map((name, index) =>
      media.put(
        gzipKey(recordingPlaylistKey(stream, name, state)),
        made[index] ?? new Uint8Array(),
        'application/gzip',
      ),
    ),
  );
  return made[names.indexOf(rendition)] ?? new Uint8Array();
}

class GrowingGzip {
  readonly #gzip: Gzip = createGzip({ level: GZIP_LEVEL });
  readonly #chunks: Uint8Array[] = [];
  readonly #ended: Promise<void>;

  constructor() {
    this.#ended = new Promise((resolve, reject) => {
      this.#gzip.on('end', resolve).on('error', reject);
    });
    this.#gzip.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk));
  }

  /** Resolves when it is compressed, so that no more than a few pages wait. */
  append(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#gzip.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  async end(): Promise<Uint8Array> {
    this.#gzip.end();
    await this.#ended;
    return Buffer.concat(this.#chunks);
  }
}
