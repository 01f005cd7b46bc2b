/** AdaptationSets of a Period: one for the video, one for each language, and for captions and thumbnails (ISO/IEC 23009-1, 5.3.3). */

import type { Period, PeriodRendition } from '../domain/period.ts';
import type { AudioRendition, Presentation, VideoRendition } from '../domain/presentation.ts';
import { TICKS_PER_SECOND } from '../domain/ticks.ts';
import { formatCaptionSets, formatThumbnailSet } from './dash-companion-sets.ts';
import {
  AUDIENCE_SCHEME,
  AUDIENCES,
  type DashUris,
  formatTimeline,
  role,
  timelineElement,
} from './dash-segment-timeline.ts';
import { element, tag, textElement, type XmlLines } from './dash-xml.ts';

type Printed<Rendition> = readonly (Rendition & Readonly<{ pieces: PeriodRendition }>)[];

const CLOSED_CAPTIONS_SCHEME = 'urn:scte:dash:cc:cea-608:2015';
const CHANNELS_SCHEME = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';

export type PrintedPresentation = Pick<
  Presentation,
  'video' | 'audio' | 'closedCaptions' | 'captions' | 'thumbnails'
>;

/** Those that have pieces in the period. The same rendition has the same ids in all periods. */
export function formatAdaptationSets(
  { video, audio, closedCaptions, captions, thumbnails }: PrintedPresentation,
  period: Period,
  uris: DashUris,
): XmlLines {
  const printed = <Rendition extends Readonly<{ name: string }>>(
    renditions: readonly Rendition[],
  ): Printed<Rendition> =>
    renditions.flatMap((rendition) => {
      const pieces = period.renditions.get(rendition.name);
      return pieces && pieces.rows.length > 0 ? [{ ...rendition, pieces }] : [];
    });
  return [
    ...formatVideo(printed(video), closedCaptions, period, uris),
    ...audio.flatMap((rendition, index) =>
      formatAudio(printed([rendition]), index, audio[0], period, uris),
    ),
    ...formatCaptionSets(captions, period, uris),
    ...(thumbnails ? formatThumbnailSet(thumbnails, period, uris) : []),
  ];
}

function formatVideo(
  renditions: Printed<VideoRendition>,
  closedCaptions: readonly string[],
  period: Period,
  uris: DashUris,
): XmlLines {
  if (renditions.length === 0) return [];
  const greatest = (of: (rendition: VideoRendition) => number): number =>
    Math.max(...renditions.map(of));
  const attributes = {
    ...{ id: 0, contentType: 'video', mimeType: 'video/mp4' },
    ...{ segmentAlignment: true, startWithSAP: 1 },
    maxWidth: greatest(({ widthPx }) => widthPx),
    maxHeight: greatest(({ heightPx }) => heightPx),
    maxFrameRate: formatFrameRate(greatest(({ framesPerSecond }) => framesPerSecond)),
    sar: '1:1',
  };
  // Nothing in the video says their language.
  const channels = closedCaptions.map((channel) => `${channel}=und`).join(';');
  const inVideo = tag('Accessibility', { schemeIdUri: CLOSED_CAPTIONS_SCHEME, value: channels });
  return element('AdaptationSet', attributes, [
    ...(closedCaptions.length > 0 ? [inVideo] : []),
    role('main'),
    ...formatRepresentations(renditions, period, uris, (rendition) => ({
      width: rendition.widthPx,
      height: rendition.heightPx,
      frameRate: formatFrameRate(rendition.framesPerSecond),
    })),
  ]);
}

function formatAudio(
  renditions: Printed<AudioRendition>,
  index: number,
  first: AudioRendition | undefined,
  period: Period,
  uris: DashUris,
): XmlLines {
  const [rendition] = renditions;
  if (!rendition) return [];
  const { language, label, isDefault, channels, sampleRateHz, describesVideo } = rendition;
  const attributes = {
    ...{ id: index + 1, contentType: 'audio', mimeType: 'audio/mp4' },
    lang: language ?? 'und',
    ...{ segmentAlignment: true, startWithSAP: 1 },
  };
  const isTranslation = language !== undefined && language !== first?.language;
  return element('AdaptationSet', attributes, [
    tag('AudioChannelConfiguration', { schemeIdUri: CHANNELS_SCHEME, value: channels }),
    textElement('Label', {}, label),
    ...(describesVideo
      ? [tag('Accessibility', { schemeIdUri: AUDIENCE_SCHEME, value: AUDIENCES.cannotSee })]
      : []),
    role(isDefault ? 'main' : isTranslation ? 'dub' : 'alternate'),
    ...formatRepresentations(renditions, period, uris, () => ({
      audioSamplingRate: sampleRateHz,
    })),
  ]);
}

type Shared = Readonly<{ name: string; peakBps: number; codecString: string }>;

/**
 * Their segments' times stand above them once if they are the same for all, which only a lost rung changes. All
 * else is repeated in each: VLC 3 takes a SegmentTemplate as it stands, and only SegmentTimeline from above.
 */
function formatRepresentations<Rendition extends Shared>(
  renditions: Printed<Rendition>,
  period: Period,
  uris: DashUris,
  more: (rendition: Rendition) => Readonly<Record<string, string | number>>,
): XmlLines {
  const template = {
    timescale: TICKS_PER_SECOND,
    presentationTimeOffset: period.startTicks,
    media: uris.media(period),
  };
  const timelines = renditions.map(({ pieces }) => formatTimeline(pieces.rows));
  const [common = ''] = timelines;
  const areSame = timelines.every((timeline) => timeline === common);
  const representations = renditions.flatMap((rendition, index) => {
    const { name, peakBps, codecString, pieces } = rendition;
    const initialization = uris.init(pieces.initKey);
    const own = areSame ? [] : timelineElement(timelines[index] ?? '');
    return element(
      'Representation',
      { id: name, bandwidth: Math.ceil(peakBps), codecs: codecString, ...more(rendition) },
      element('SegmentTemplate', { ...template, initialization }, own),
    );
  });
  const shared = element('SegmentTemplate', template, timelineElement(common));
  return [...(areSame ? shared : []), ...representations];
}

const NTSC_DIVISOR = 1.001;

/** Whole, or a fraction of the NTSC kind (30000/1001); else in thousandths. */
export function formatFrameRate(framesPerSecond: number): string {
  const whole = Math.round(framesPerSecond);
  if (Math.abs(framesPerSecond - whole) < 0.001) return String(whole);
  const ntsc = Math.round(framesPerSecond * NTSC_DIVISOR);
  if (Math.abs(framesPerSecond - ntsc / NTSC_DIVISOR) < 0.001) return `${ntsc * 1000}/1001`;
  return `${Math.round(framesPerSecond * 1000)}/1000`;
}
