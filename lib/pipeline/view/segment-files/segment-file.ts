/** One segment of a stream as a file of its own: packaged from its renditions, or made by a job. */

import { DomainError } from '../../../domain/errors.ts';
import { regionDefault } from '../../../domain/languages/region-default.ts';
import {
  DOWNLOAD_FORMATS,
  type DownloadFormat,
  listWords,
  MEDIA_FORMATS,
} from '../../../domain/media-format.ts';
import { segmentFileKey } from '../../../domain/object-keys.ts';
import {
  type AudioRendition,
  chooseAudio,
  chooseVideo,
  presentationOf,
} from '../../../domain/presentation.ts';
import type { Deps } from '../../deps.ts';
import { type RequestedFile, requestFile } from '../../jobs/file-request.ts';
import { webm } from '../../jobs/webm.ts';
import { readAudio, readPiece } from './read-pieces.ts';
import type { Moment } from './segment-moment.ts';
import { findSource, readSource } from './segment-source.ts';
import { keyOfTracks, segmentTracks, webmJobOf } from './segment-tracks.ts';

export type SegmentChoice = Readonly<{
  format: DownloadFormat;
  /** A rung's name, a size, or `source`; left out: the best. */
  resolution?: string | undefined;
  /** BCP 47; left out: the default. */
  language?: string | undefined;
}>;

export type SegmentFile = Readonly<{
  /** The rung that its picture is of, or `source`; undefined without a picture. */
  resolution: string | undefined;
  /** BCP 47; undefined where it has none, or several. */
  language: string | undefined;
  /** It is there, or no job is needed to make it. */
  isAtHand(): Promise<boolean>;
  /** Makes it unless it is there, or asks for the job that does. Throws what `requestFile` throws. */
  request(): Promise<RequestedFile>;
}>;

/**
 * The file that holds what playlists list at the entry for the renditions chosen. Throws
 * `rendition_not_found`, `moment_not_found`, `too_large` and `unsupported_format`.
 */
export async function chooseSegmentFile(
  deps: Deps,
  moment: Moment,
  { format, resolution, language }: SegmentChoice,
): Promise<SegmentFile> {
  const { stream, state } = moment;
  const presentation = presentationOf(state, regionDefault(stream.settings.defaultAudio));
  const audio = chooseAudio(presentation, language);
  if (resolution === 'source') {
    return sourceFile(deps, moment, format, language === undefined ? undefined : audio);
  }
  const video = chooseVideo(presentation, resolution);
  const tracks = segmentTracks(moment, video?.name, audio);
  const file = { resolution: tracks.video?.name, language: tracks.audio && audio?.language };
  if (format === 'webm') {
    if (stream.settings.webm === 'never') throw webmIsOff();
    const job = webmJobOf(moment, tracks);
    return {
      ...file,
      isAtHand: async () => (await deps.media.head(job.key)) !== undefined,
      request: () => requestFile(deps, stream, webm, job),
    };
  }
  const make = () =>
    deps.remuxing.run('remuxRenditions', stream.uid, async () => {
      const [picture, sound] = await Promise.all([
        tracks.video && readPiece(deps, tracks.video.piece),
        tracks.audio && readAudio(deps, tracks.audio),
      ]);
      const { bounds } = tracks;
      return [{ video: picture, audio: sound ? [sound] : [], bounds, format }];
    });
  return { ...file, ...packaged(deps, keyOfTracks(moment, tracks, format), format, make) };
}

/** `only`: the rendition of the language that was asked for. */
async function sourceFile(
  deps: Deps,
  moment: Moment,
  format: DownloadFormat,
  only: AudioRendition | undefined,
): Promise<SegmentFile> {
  const { stream, entry } = moment;
  const source = await findSource(deps, moment, format, only?.name);
  const names = { video: 'source', audio: only?.name ?? 'all', neighbours: '00' };
  const make = () =>
    deps.remuxing.run('remuxSource', stream.uid, async () => {
      const { audio } = source;
      return [{ ...(await readSource(deps, source)), ...(audio && { audio }), format }];
    });
  const key = segmentFileKey(stream, entry, names, format);
  const file = { resolution: 'source', language: only?.language };
  return { ...file, ...packaged(deps, key, format, make) };
}

const packaged = (
  { media }: Pick<Deps, 'media'>,
  key: string,
  format: DownloadFormat,
  make: () => Promise<Uint8Array>,
): Pick<SegmentFile, 'isAtHand' | 'request'> => ({
  isAtHand: async () => true,
  async request() {
    if (!(await media.head(key))) {
      await media.put(key, await make(), MEDIA_FORMATS[format].contentType);
    }
    return { type: 'ready', key };
  },
});

const webmIsOff = (): DomainError =>
  new DomainError(
    'unsupported_format',
    'The owner of the stream has WebM files switched off.',
    `Ask for ${listWords(DOWNLOAD_FORMATS.filter((name) => name !== 'webm').map((name) => `format=${name}`))}.`,
  );
