/**
 * The elements and attributes of an MPD that Rivulet prints, as the MPD schema has them (ISO/IEC 23009-1,
 * annex B): a sequence of children, and types of attributes. Whatever is not here is a fault.
 */

const UNSIGNED = /^\d+$/;
const DURATION = /^PT\d+(\.\d+)?S$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const FRAME_RATE = /^\d+(\/\d+)?$/;
const BOOLEAN = /^(true|false)$/;
const TEXT = /^/;
const URI = /^[^\s<>"{}|\\^`]+$/;
/** BCP 47, as far as its shape goes. */
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;

export type ElementRule = Readonly<{
  required?: Readonly<Record<string, RegExp>>;
  optional?: Readonly<Record<string, RegExp>>;
  /** In this order; each may come several times. */
  children?: readonly string[];
  text?: true;
}>;

const DESCRIPTOR: ElementRule = { required: { schemeIdUri: URI }, optional: { value: TEXT } };

export const MPD_GRAMMAR: Readonly<Record<string, ElementRule>> = {
  MPD: {
    required: {
      profiles: /^urn:mpeg:dash:profile:isoff-live:2011$/,
      type: /^(static|dynamic)$/,
      minBufferTime: DURATION,
      maxSegmentDuration: DURATION,
    },
    optional: {
      availabilityStartTime: DATE_TIME,
      publishTime: DATE_TIME,
      mediaPresentationDuration: DURATION,
      minimumUpdatePeriod: DURATION,
      timeShiftBufferDepth: DURATION,
      suggestedPresentationDelay: DURATION,
    },
    children: ['Location', 'Period', 'UTCTiming'],
  },
  Location: { text: true },
  Period: {
    required: { id: TEXT, start: DURATION },
    optional: { duration: DURATION },
    children: ['EventStream', 'AdaptationSet'],
  },
  EventStream: {
    required: { schemeIdUri: URI, timescale: UNSIGNED, presentationTimeOffset: UNSIGNED },
    optional: { value: TEXT },
    children: ['Event'],
  },
  Event: {
    required: { presentationTime: UNSIGNED, id: UNSIGNED },
    optional: { duration: UNSIGNED },
    text: true,
  },
  AdaptationSet: {
    required: {
      id: UNSIGNED,
      contentType: /^(video|audio|text)$/,
      mimeType: /^(video|audio|application)\/mp4$/,
      segmentAlignment: BOOLEAN,
      startWithSAP: /^1$/,
    },
    optional: {
      lang: LANGUAGE,
      maxWidth: UNSIGNED,
      maxHeight: UNSIGNED,
      maxFrameRate: FRAME_RATE,
      sar: /^\d+:\d+$/,
    },
    children: [
      'AudioChannelConfiguration',
      'Label',
      'Accessibility',
      'Role',
      'SegmentTemplate',
      'Representation',
    ],
  },
  AudioChannelConfiguration: DESCRIPTOR,
  Label: { text: true },
  Accessibility: DESCRIPTOR,
  Role: DESCRIPTOR,
  UTCTiming: DESCRIPTOR,
  SegmentTemplate: {
    optional: {
      timescale: UNSIGNED,
      presentationTimeOffset: UNSIGNED,
      media: URI,
      initialization: URI,
    },
    children: ['SegmentTimeline'],
  },
  SegmentTimeline: { children: ['S'] },
  S: { required: { d: /^[1-9]\d*$/ }, optional: { t: UNSIGNED, r: UNSIGNED } },
  Representation: {
    required: { id: /^\S+$/, bandwidth: /^[1-9]\d*$/, codecs: /^[\w.,]+$/ },
    optional: {
      width: UNSIGNED,
      height: UNSIGNED,
      frameRate: FRAME_RATE,
      audioSamplingRate: UNSIGNED,
    },
    children: ['SegmentTemplate'],
  },
};
