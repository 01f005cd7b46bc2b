/** `/viewstream/{videoId}`: one segment as a file of its own. No key is needed, and a CDN may cache the answers. */

import { acceptedTypes } from '../../lib/domain/accept.ts';
import { DomainError } from '../../lib/domain/errors.ts';
import { parseLanguage, parseVideoId } from '../../lib/domain/ids.ts';
import {
  DOWNLOAD_FORMATS,
  type DownloadFormat,
  listWords,
  MEDIA_FORMATS,
} from '../../lib/domain/media-format.ts';
import { shortened } from '../../lib/domain/notice.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import {
  chooseSegmentFile,
  type SegmentFile,
} from '../../lib/pipeline/view/segment-files/segment-file.ts';
import { findMoment } from '../../lib/pipeline/view/segment-files/segment-moment.ts';
import { apiHandler, type HttpEvent } from '../runtime/middleware.ts';
import { answerWithFile, parseWait } from './requested-file.ts';

export const viewSegmentHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const query = event.queryStringParameters ?? {};
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const formats = formatsOf(event);
    const language = parseLanguage(query.lang);
    const waitSeconds = parseWait(query.wait);
    const moment = await findMoment(deps, videoId, query.timestamp);
    const { resolution } = query;
    const files = formats.map(
      (format) => () => chooseSegmentFile(deps, moment, { format, resolution, language }),
    );
    const file = await firstAtHand(files);
    // The object never changes; the segment at a timestamp does, when its late arrival comes.
    const caching = { 'cache-control': 'public, max-age=10' };
    const answer = await answerWithFile(file.request, waitSeconds, caching);
    const own = {
      ...(query.format === undefined && { vary: 'accept' }),
      ...(file.resolution !== undefined && { 'rivulet-resolution': file.resolution }),
      ...(file.language !== undefined && { 'rivulet-language': file.language }),
    };
    return { ...answer, headers: { ...answer.headers, ...own } };
  });

/** By the query, else by the Accept header: the most wanted first. Throws DomainError. */
function formatsOf(event: HttpEvent): readonly DownloadFormat[] {
  const asked = event.queryStringParameters?.format;
  if (asked !== undefined) {
    const format = DOWNLOAD_FORMATS.find((name) => name === asked);
    if (format) return [format];
    throw new DomainError(
      'unsupported_format',
      `Segments are not made in the format "${shortened(asked)}".`,
      `Ask for ${listWords(DOWNLOAD_FORMATS.map((name) => `format=${name}`))}.`,
    );
  }
  const typeOf = (name: DownloadFormat): string => MEDIA_FORMATS[name].contentType;
  const types = acceptedTypes(event.headers?.accept, DOWNLOAD_FORMATS.map(typeOf));
  const formats = types.flatMap((type) => DOWNLOAD_FORMATS.filter((name) => typeOf(name) === type));
  if (formats.length > 0) return formats;
  throw new DomainError(
    'not_acceptable',
    'A segment is made in none of the media types that the Accept header takes.',
    `Accept ${listWords(DOWNLOAD_FORMATS.map(typeOf))}, or ask for one with format=${DOWNLOAD_FORMATS[0]}.`,
  );
}

/**
 * The most wanted; one that takes a job to make only if it is there, or if no other is wanted: browsers
 * name WebM first, and play MP4 at once.
 */
async function firstAtHand(files: readonly (() => Promise<SegmentFile>)[]): Promise<SegmentFile> {
  for (const [index, choose] of files.entries()) {
    const isLast = index === files.length - 1;
    const file = await choose().catch((error: unknown) => {
      if (isLast || !(error instanceof DomainError) || error.code !== 'unsupported_format')
        throw error;
      return undefined;
    });
    if (file && (isLast || (await file.isAtHand()))) return file;
  }
  throw new Error('There is no format to choose from.');
}
