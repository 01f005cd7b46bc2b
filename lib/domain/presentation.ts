/**
 * What viewers are offered of a timeline. HLS, DASH, JSON and the segment file print it; none has
 * rules of its own.
 */

import { DomainError } from './errors.ts';
import { matchLanguage, ownName, UNDETERMINED } from './languages/language.ts';
import { listWords } from './media-format.ts';
import { shortened } from './notice.ts';
import {
  type KeyframeStream,
  keyframeStreams,
  type ThumbnailStream,
  thumbnailStream,
} from './pictures/trick-play.ts';
import { averageBps, boundBps } from './rates.ts';
import { nearestBelow } from './resolution.ts';
import { DEFAULT_TARGET_SECONDS } from './stream.ts';
import { TICKS_PER_SECOND } from './ticks.ts';
import {
  type AudioGaps,
  type EntryRendition,
  isGap,
  type RenditionInfo,
  type TimelineEntry,
  type TimelineState,
} from './timeline.ts';

type Rates = Readonly<{
  /** Of the segment with the highest rate. */
  peakBps: number;
  averageBps: number;
}>;

type VideoInfo = Omit<Extract<RenditionInfo, { kind: 'video' }>, 'kind' | 'maxrateBps'>;

export type VideoRendition = Rates & VideoInfo & Readonly<{ name: string }>;

export type AudioRendition = Rates &
  Readonly<{
    name: string;
    /** RFC 6381. */
    codecString: string;
    channels: number;
    sampleRateHz: number;
    /** BCP 47; undefined when it is not known. */
    language: string | undefined;
    /** For people; differs from all others of the group (RFC 8216bis, 4.4.6.1.1). */
    label: string;
    /** Played when the viewer has no preference; one of a group. */
    isDefault: boolean;
    /** It tells what the picture shows, for those who do not see it. */
    describesVideo?: true;
  }>;

/** Captions as WebVTT. */
export type CaptionRendition = Readonly<{
  name: string;
  /** BCP 47; undefined when it is not known. */
  language: string | undefined;
  /** For people; differs from all others of the group. */
  label: string;
  /** Shown when the viewer has no preference; one of the group, or none. */
  isDefault: boolean;
  isForced: boolean;
  isSdh: boolean;
}>;

/** Audio renditions of which a player plays one beside the video, or one of them alone. */
export type AudioGroup = Readonly<{
  id: string;
  renditions: readonly AudioRendition[];
  /** The variant itself lists the default rendition: the stream has no video. */
  isInVariant: boolean;
}>;

/** What a player plays at once. Rates are those of its video plus the highest of its audio group. */
export type Variant = Rates &
  Readonly<{
    /** Name of the rendition whose segments it lists. */
    rendition: string;
    /** RFC 6381, of the video and of each codec of its audio group (RFC 8216bis, 4.4.6.2). */
    codecs: readonly string[];
    /** undefined: audio only. */
    resolution: Readonly<{ widthPx: number; heightPx: number }> | undefined;
    framesPerSecond: number | undefined;
    /** Undefined if its own segments hold all. */
    audioGroupId: string | undefined;
  }>;

export type Presentation = Readonly<{
  /** Tallest first. */
  video: readonly VideoRendition[];
  /** The default first, then in the order in which the stream got them. */
  audio: readonly AudioRendition[];
  audioGroups: readonly AudioGroup[];
  /** In the order in which the stream got them. */
  captions: readonly CaptionRendition[];
  /** Channels of closed captions in the video: `CC1`. */
  closedCaptions: readonly string[];
  /**
   * Players begin with the first: the tallest. The audio alone is one where there is no video: beside video
   * VLC 3 then plays one without the other. Its playlist can be asked for by itself.
   */
  variants: readonly Variant[];
  /** In the order of `video`; only of renditions whose entries say where their keyframes end. */
  keyframes: readonly KeyframeStream[];
  /** Absent: the stream has none. */
  thumbnails?: ThumbnailStream;
}>;

const AUDIO_GROUP_ID = 'audio';

const AAC_FRAME_SAMPLES = 1024;

/** The part of a timeline's state that says what is offered. */
export type Offered = Readonly<
  Pick<TimelineState, 'renditions'> &
    Partial<Pick<TimelineState, 'endedAtMs' | 'targetDurationSeconds' | 'captions' | 'thumbnails'>>
>;

/**
 * `language`: of the default audio, if the stream has it; else the first is the default. `captionLanguage`:
 *  of those that are shown to who has no preference; left out, or not there: none are.
 */
export function presentationOf(
  state: Offered,
  language?: string,
  captionLanguage?: string,
): Presentation {
  const { renditions, endedAtMs, targetDurationSeconds = DEFAULT_TARGET_SECONDS } = state;
  const video: VideoRendition[] = [];
  const tracks: AudioTrack[] = [];
  const isLive = endedAtMs === undefined;
  for (const [name, totals] of Object.entries(renditions)) {
    const { info } = totals;
    const peakBps = boundBps(totals, targetDurationSeconds, isLive);
    const rates = { peakBps, averageBps: averageBps(totals) };
    if (info.kind === 'video') {
      const { kind: _, maxrateBps: __, ...shown } = info;
      video.push({ name, ...shown, ...rates });
    } else {
      const { kind: _, language, ...shown } = info;
      const known = language === UNDETERMINED ? undefined : language;
      tracks.push({ name, ...shown, language: known, ...rates });
    }
  }
  video.sort((a, b) => b.heightPx - a.heightPx);
  const audio = labelled(defaultFirst(tracks, language));
  const isInVariant = video.length === 0;
  // Variants are one content at several rates, so languages are no variants (RFC 8216bis, 6.2.4).
  const group =
    audio.length > (isInVariant ? 1 : 0)
      ? { id: AUDIO_GROUP_ID, renditions: audio, isInVariant }
      : undefined;
  const offered = isInVariant ? audio.slice(0, 1) : video;
  const variants = offered.map((rendition) => variantOf(rendition, group));
  const captions = captionsOf(state, captionLanguage);
  const closedCaptions = Object.values(state.captions?.tracks ?? {}).flatMap(
    ({ channel }) => channel ?? [],
  );
  const keyframes = keyframeStreams(video, renditions, targetDurationSeconds, isLive);
  const thumbnails = thumbnailStream(state.thumbnails, isLive);
  return {
    ...{ video, audio, audioGroups: group ? [group] : [], captions, closedCaptions },
    ...{ variants, keyframes },
    ...(thumbnails && { thumbnails }),
  };
}

function captionsOf(
  { captions }: Pick<Offered, 'captions'>,
  wanted: string | undefined,
): CaptionRendition[] {
  const taken = new Set<string>();
  const renditions = Object.entries(captions?.tracks ?? {}).map(([name, track]) => {
    const { language: said, isForced = false, isSdh = false, channel = name } = track;
    const language = said === UNDETERMINED ? undefined : said;
    const own = track.label ?? (language === undefined ? channel : ownName(language));
    // NAMEs of a group differ (RFC 8216bis, 4.4.6.1.1).
    const label = taken.has(own) ? `${own} (${isForced ? 'forced' : isSdh ? 'SDH' : name})` : own;
    taken.add(label);
    return { name, language, label, isDefault: false, isForced, isSdh };
  });
  const chosen = wanted === undefined ? undefined : captionsIn(renditions, wanted);
  return renditions.map((one) => (one === chosen ? { ...one, isDefault: true } : one));
}

type CaptionTags = Pick<CaptionRendition, 'language' | 'isForced' | 'isSdh'>;

/** The captions of a BCP 47 tag (`matchLanguage`): the plain ones before those for who does not hear; no forced ones. */
export function captionsIn<Track extends CaptionTags>(
  tracks: readonly Track[],
  language: string,
): Track | undefined {
  const among = (some: readonly Track[]): Track | undefined =>
    some[matchLanguage(some.map(tagOf), language)];
  const whole = tracks.filter(({ isForced }) => !isForced);
  return among(whole.filter(({ isSdh }) => !isSdh)) ?? among(whole);
}

type AudioTrack = Omit<AudioRendition, 'label' | 'isDefault'>;

function defaultFirst(tracks: readonly AudioTrack[], language?: string): readonly AudioTrack[] {
  const chosen = language === undefined ? undefined : trackFor(tracks, language);
  return chosen ? [chosen, ...tracks.filter((track) => track !== chosen)] : tracks;
}

/** In its own language, numbered where several have the same. */
function labelled(tracks: readonly AudioTrack[]): AudioRendition[] {
  const taken = new Set<string>();
  return tracks.map((track, index) => {
    const { name, language, describesVideo } = track;
    const own = language === undefined ? name : ownName(language);
    const wanted = describesVideo ? `${own} (audio description)` : own;
    let label = wanted;
    for (let number = 2; taken.has(label); number += 1) label = `${wanted} ${number}`;
    taken.add(label);
    return { ...track, label, isDefault: index === 0 };
  });
}

/** One without audio description before one with it. */
function trackFor<Track extends AudioTrack>(
  tracks: readonly Track[],
  language: string,
): Track | undefined {
  const among = (some: readonly Track[]): Track | undefined =>
    some[matchLanguage(some.map(tagOf), language)];
  return among(tracks.filter(({ describesVideo }) => !describesVideo)) ?? among(tracks);
}

const tagOf = ({ language }: Pick<AudioTrack, 'language'>): string => language ?? UNDETERMINED;

function variantOf(rendition: VideoRendition | AudioRendition, group?: AudioGroup): Variant {
  const isVideo = 'widthPx' in rendition;
  const audio = group?.renditions ?? [];
  const played = audio.filter(({ name }) => name !== rendition.name);
  return {
    rendition: rendition.name,
    codecs: [
      ...new Set([rendition, ...audio].flatMap(({ codecString }) => codecString.split(','))),
    ],
    peakBps: rendition.peakBps + Math.max(0, ...played.map(({ peakBps }) => peakBps)),
    averageBps: rendition.averageBps + Math.max(0, ...played.map(({ averageBps }) => averageBps)),
    resolution: isVideo ? { widthPx: rendition.widthPx, heightPx: rendition.heightPx } : undefined,
    framesPerSecond: isVideo ? rendition.framesPerSecond : undefined,
    audioGroupId: group?.id,
  };
}

/**
 * Renditions whose pieces stand in for missing ones of `name`, the best first: an encoder run with
 * smaller video has fewer rungs, and a gap would stall players. The next smaller video first: it is
 * never more than the viewer's line can carry. None of audio: what is missing there is silent.
 */
export function fallbackOrder({ video }: Pick<Presentation, 'video'>, name: string): string[] {
  const own = video.find((rendition) => rendition.name === name);
  if (!own) return [];
  const candidates = [
    ...video.filter(({ heightPx }) => heightPx <= own.heightPx),
    ...video.filter(({ heightPx }) => heightPx > own.heightPx).reverse(),
  ];
  return candidates.map((rendition) => rendition.name).filter((other) => other !== name);
}

/** What a rendition lists at an entry. */
export type ListedPiece = Readonly<{
  /** The rendition that the piece is of: the fallback's, if it has none of its own. */
  rendition: string;
  /** Undefined: a gap. */
  piece: EntryRendition | undefined;
  /** Of a gap in audio, whose pieces do not meet those of the video. */
  gap?: AudioGaps[string] | undefined;
  /** EXT-X-MAP; of a gap: that of the piece before it, so that it stays what it was once listed. */
  initKey: string;
}>;

/** An entry of the live timeline, or one of the recording, whose late arrivals have no sequence. */
export type ListedEntry = Pick<
  TimelineEntry,
  'renditions' | 'startTicks' | 'durationTicks' | 'audioGaps'
> &
  Readonly<{ sequence?: number | undefined }>;

/**
 * An entry → what the rendition `name` lists there. Every rendition lists every entry. `silenceKey`
 * names the silent pieces of the audio before it began. `before` is what it lists right before;
 * undefined for the first.
 */
export function pieceLister(
  state: Pick<TimelineState, 'renditions'>,
  name: string,
  silenceKey: (rendition: string, sequence: number) => string,
): (entry: ListedEntry, before?: Pick<ListedPiece, 'initKey'>) => ListedPiece {
  const { renditions } = state;
  const candidates = [name, ...fallbackOrder(presentationOf({ renditions }), name)];
  const { initKey: newestInitKey = '', silence, info } = state.renditions[name] ?? {};
  return (entry, before) => {
    const { renditions: pieces, sequence = -1 } = entry;
    const rendition = candidates.find((candidate) => pieces[candidate]) ?? name;
    const isSilent = silence && sequence >= silence.from && sequence < silence.to && !isGap(entry);
    const piece =
      pieces[rendition] ??
      (isSilent
        ? {
            ...{ key: silenceKey(name, sequence), initKey: silence.initKey, sizeBytes: 0 },
            ...silentSpan(entry, silence.anchorTicks, info),
          }
        : undefined);
    const gap = piece ? undefined : entry.audioGaps?.[name];
    const listed = { rendition, piece, ...(gap && { gap }) };
    return { ...listed, initKey: piece?.initKey ?? before?.initKey ?? newestInitKey };
  };
}

/** Whole AAC frames, counted from the anchor, as silent pieces are made of them. */
function silentSpan(
  { startTicks, durationTicks }: Pick<TimelineEntry, 'startTicks' | 'durationTicks'>,
  anchorTicks: number,
  info: RenditionInfo | undefined,
): Pick<EntryRendition, 'startTicks' | 'durationTicks'> {
  if (info?.kind !== 'audio') return {};
  const frameTicks = (AAC_FRAME_SAMPLES * TICKS_PER_SECOND) / info.sampleRateHz;
  const frameAt = (ticks: number): number => Math.round((ticks - anchorTicks) / frameTicks);
  const first = frameAt(startTicks);
  const end = Math.max(first + 1, frameAt(startTicks + durationTicks));
  const ticksOf = (frame: number): number => Math.round(anchorTicks + frame * frameTicks);
  return { startTicks: ticksOf(first), durationTicks: ticksOf(end) - ticksOf(first) };
}

/**
 * The video rendition called `resolution`, else the nearest that is no larger than the size it names; the
 * tallest if left out, undefined for a stream without video. Throws `rendition_not_found`.
 */
export function chooseVideo(
  { video }: Presentation,
  resolution?: string,
): VideoRendition | undefined {
  if (resolution === undefined) return video[0];
  const chosen = video.find(({ name }) => name === resolution) ?? nearestBelow(video, resolution);
  if (chosen) return chosen;
  throw new DomainError(
    'rendition_not_found',
    `The stream has no resolution "${shortened(resolution)}".`,
    `Ask for ${listWords([...video.map(({ name }) => name), 'source'])}.`,
  );
}

/**
 * The audio rendition for a BCP 47 tag (`matchLanguage`). The default if left out, undefined for a stream
 * without audio. Throws `rendition_not_found`.
 */
export function chooseAudio(
  { audio }: Presentation,
  language?: string,
): AudioRendition | undefined {
  const chosen = language === undefined ? audio[0] : trackFor(audio, language);
  if (chosen || language === undefined) return chosen;
  throw new DomainError(
    'rendition_not_found',
    `The stream has no audio in "${shortened(language)}".`,
    audio.length > 0 ? `It has ${audio.map(tagOf).join(', ')}.` : 'It has no audio.',
  );
}
