/** AdaptationSets of what is shown beside the video: captions, and preview thumbnails. */

import type { Period, PeriodSprites } from '../domain/period.ts';
import type { ThumbnailStream } from '../domain/pictures/trick-play.ts';
import type { CaptionRendition } from '../domain/presentation.ts';
import { TICKS_PER_SECOND } from '../domain/ticks.ts';
import {
  AUDIENCE_SCHEME,
  AUDIENCES,
  type DashUris,
  formatTimeline,
  role,
  timelineElement,
} from './dash-segment-timeline.ts';
import { element, tag, textElement, type XmlLines } from './dash-xml.ts';

/** Behind those of the video and of languages, which come and go. */
const THUMBNAILS_ID = 1000;
const FIRST_CAPTIONS_ID = 1001;

/** More than a fast speaker says, with settings and the boxes around. */
const CAPTIONS_BPS = 10_000;

/** Of images, how they are divided (DASH-IF IOP, 6.2.6). */
const TILES_SCHEME = 'http://dashif.org/guidelines/thumbnail_tile';

/** WebVTT in ISO BMFF: every player that has segmented text has that. */
export const formatCaptionSets = (
  captions: readonly CaptionRendition[],
  period: Period,
  uris: DashUris,
): XmlLines =>
  period.rows.length === 0
    ? []
    : captions.flatMap((track, index) =>
        element(
          'AdaptationSet',
          {
            ...{ id: FIRST_CAPTIONS_ID + index, contentType: 'text', mimeType: 'application/mp4' },
            lang: track.language ?? 'und',
            ...{ segmentAlignment: true, startWithSAP: 1 },
          },
          [
            textElement('Label', {}, track.label),
            ...(track.isSdh
              ? [
                  tag('Accessibility', {
                    schemeIdUri: AUDIENCE_SCHEME,
                    value: AUDIENCES.cannotHear,
                  }),
                ]
              : []),
            // dash.js takes the first for the kind of the track.
            role(track.isForced ? 'forced-subtitle' : track.isSdh ? 'caption' : 'subtitle'),
            ...(track.isDefault ? [role('main')] : []),
            ...element(
              'SegmentTemplate',
              {
                timescale: TICKS_PER_SECOND,
                presentationTimeOffset: period.startTicks,
                media: uris.captions(period, track.name),
                initialization: uris.captionInit(track.name),
              },
              timelineElement(formatTimeline(period.rows)),
            ),
            tag('Representation', { id: track.name, bandwidth: CAPTIONS_BPS, codecs: 'wvtt' }),
          ],
        ),
      );

const countOf = ({ rows }: PeriodSprites): number =>
  rows.reduce((sum, { count }) => sum + count, 0);

/**
 * All sprites of a Representation are divided alike (DASH-IF IOP, 6.2.6), and segments differ in length: each
 * kind has its own. Players take the first, which is the one that most are of.
 */
export function formatThumbnailSet(
  { peakBps }: ThumbnailStream,
  period: Period,
  uris: DashUris,
): XmlLines {
  const sprites = [...period.sprites.values()].toSorted((a, b) => countOf(b) - countOf(a));
  if (sprites.length === 0) return [];
  const template = {
    timescale: TICKS_PER_SECOND,
    presentationTimeOffset: period.startTicks,
    media: uris.thumbnails(period),
  };
  return element(
    'AdaptationSet',
    { id: THUMBNAILS_ID, contentType: 'image', mimeType: 'image/jpeg' },
    [
      ...sprites.flatMap(({ name, grid: { columns, widthPx, heightPx }, rows }) =>
        element(
          'Representation',
          {
            ...{ id: name, bandwidth: Math.ceil(peakBps) },
            ...{ width: columns * widthPx, height: heightPx },
          },
          [
            tag('EssentialProperty', { schemeIdUri: TILES_SCHEME, value: `${columns}x1` }),
            ...element('SegmentTemplate', template, timelineElement(formatTimeline(rows))),
          ],
        ),
      ),
    ],
  );
}
