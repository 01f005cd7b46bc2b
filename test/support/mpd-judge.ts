/** Reads an MPD as a player does, and holds it to the schema and to the rules of DASH-IF that a machine can check. */

import assert from 'node:assert/strict';
import { XmlDocument, XmlElement, XmlText } from 'libxml2-wasm';
import { MPD_GRAMMAR } from './mpd-grammar.ts';
import { requireRules, seconds } from './mpd-rules.ts';

const NAMESPACE = 'urn:mpeg:dash:schema:mpd:2011';

type Element = Readonly<{
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly Element[];
  text: string;
}>;

export type ReadSegment = Readonly<{ startTicks: number; durationTicks: number; uri: string }>;

export type ReadRepresentation = Readonly<{
  id: string;
  attributes: Readonly<Record<string, string>>;
  init: string;
  segments: readonly ReadSegment[];
  /** Of images, how they are divided: `2x1`. */
  tiles: string | undefined;
}>;

export type ReadPeriod = Readonly<{
  id: string;
  startSeconds: number;
  /** undefined: the next says where it ends. */
  durationSeconds: number | undefined;
  offsetTicks: number;
  sets: readonly Readonly<{
    attributes: Readonly<Record<string, string>>;
    representations: readonly ReadRepresentation[];
    /** Scheme and value of each descriptor: Accessibility, Role. */
    descriptors: readonly string[];
  }>[];
  events: readonly Readonly<{ value: string; startSeconds: number; message: string }>[];
}>;

export type ReadMpd = Readonly<{
  attributes: Readonly<Record<string, string>>;
  location: string | undefined;
  /** Scheme and value of each UTCTiming. */
  clocks: readonly string[];
  periods: readonly ReadPeriod[];
}>;

export function readMpd(text: string): ReadMpd {
  const document = XmlDocument.fromString(text);
  try {
    assert.equal(document.root.namespaceUri, NAMESPACE);
    const mpd = elementOf(document.root);
    assert.equal(mpd.name, 'MPD');
    const read = {
      attributes: mpd.attributes,
      location: childrenOf(mpd, 'Location')[0]?.text,
      clocks: childrenOf(mpd, 'UTCTiming').map(descriptorOf),
      periods: childrenOf(mpd, 'Period').map(readPeriod),
    };
    judge(read);
    requireRules(read);
    return read;
  } finally {
    document.dispose();
  }
}

/** With what the grammar says of it. */
function elementOf(node: XmlElement): Element {
  const { name } = node;
  const rule = MPD_GRAMMAR[name] ?? assert.fail(`<${name}> is not known`);
  const attributes = Object.fromEntries(node.attrs.map((one) => [one.name, one.value]));
  const types = { ...rule.required, ...rule.optional };
  for (const [attribute, value] of Object.entries(attributes)) {
    const type = types[attribute] ?? assert.fail(`${name}@${attribute} is not known`);
    assert.match(value, type, `${name}@${attribute}`);
  }
  for (const attribute of Object.keys(rule.required ?? {})) {
    assert.ok(attribute in attributes, `${name}@${attribute} is missing`);
  }
  const children: Element[] = [];
  let text = '';
  for (let child = node.firstChild; child; child = child.next) {
    if (child instanceof XmlElement) children.push(elementOf(child));
    else if (child instanceof XmlText) text += child.content;
  }
  const order = children.map((child) => rule.children?.indexOf(child.name) ?? -1);
  assert.ok(!order.includes(-1), `<${name}> has a child that it must not have`);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    `order of the children of <${name}>`,
  );
  if (!rule.text) assert.equal(text.trim(), '', `<${name}> has text`);
  return { name, attributes, children, text };
}

const childrenOf = ({ children }: Element, name: string): readonly Element[] =>
  children.filter((child) => child.name === name);

const descriptorOf = ({ attributes }: Element): string =>
  [attributes.schemeIdUri, attributes.value].join(' ');

function readPeriod(period: Element): ReadPeriod {
  const { id = '', start, duration } = period.attributes;
  const sets = childrenOf(period, 'AdaptationSet');
  // Where the period starts on the media's clock, which all its tracks share.
  const templates = [...sets, ...sets.flatMap((set) => childrenOf(set, 'Representation'))].flatMap(
    (one) => childrenOf(one, 'SegmentTemplate'),
  );
  const offsets = [...templates, ...childrenOf(period, 'EventStream')].map(
    ({ attributes }) => attributes.presentationTimeOffset,
  );
  assert.ok(new Set(offsets).size <= 1, `offsets of period ${id}: ${offsets.join(', ')}`);
  return {
    ...{ id, startSeconds: seconds(start) },
    durationSeconds: duration === undefined ? undefined : seconds(duration),
    offsetTicks: Number(offsets[0] ?? 0),
    sets: sets.map((set) => ({
      attributes: set.attributes,
      representations: childrenOf(set, 'Representation').map((one) => readSegments(set, one)),
      descriptors: [...childrenOf(set, 'Accessibility'), ...childrenOf(set, 'Role')].map(
        descriptorOf,
      ),
    })),
    events: childrenOf(period, 'EventStream').flatMap(readEvents),
  };
}

/** SegmentTemplate of the set and of the Representation, whose own attributes win (5.3.9.1). */
function readSegments(set: Element, representation: Element): ReadRepresentation {
  const templates = [set, representation].flatMap((one) => childrenOf(one, 'SegmentTemplate'));
  const template = Object.assign({}, ...templates.map(({ attributes }) => attributes));
  const timeline = templates.flatMap((one) => childrenOf(one, 'SegmentTimeline')).at(-1);
  const { id = '' } = representation.attributes;
  assert.equal(template.timescale, '90000');
  assert.match(template.media, /\$RepresentationID\$.*\$Time\$/);
  const segments: ReadSegment[] = [];
  for (const { attributes } of timeline?.children ?? []) {
    const before = segments.at(-1);
    const end = before ? before.startTicks + before.durationTicks : 0;
    const durationTicks = Number(attributes.d);
    let startTicks = Number(attributes.t ?? end);
    assert.ok(startTicks >= end, `${id}: a segment begins before the end of the one before it`);
    for (let count = 0; count <= Number(attributes.r ?? 0); count += 1) {
      const uri = template.media
        .replace('$RepresentationID$', id)
        .replace('$Time$', String(startTicks));
      segments.push({ startTicks, durationTicks, uri });
      startTicks += durationTicks;
    }
  }
  const [tiles] = childrenOf(representation, 'EssentialProperty');
  return {
    ...{ id, attributes: representation.attributes, init: template.initialization, segments },
    tiles: tiles?.attributes.value,
  };
}

function readEvents({ attributes, children }: Element): ReadPeriod['events'] {
  const { value = '', timescale, presentationTimeOffset } = attributes;
  const ids = children.map((event) => event.attributes.id);
  assert.equal(new Set(ids).size, ids.length, 'events have ids of their own');
  return children.map((event) => ({
    value,
    startSeconds:
      (Number(event.attributes.presentationTime) - Number(presentationTimeOffset)) /
      Number(timescale),
    message: event.text,
  }));
}

/** DASH-IF's interoperability guidelines, and what the standard says in words. */
function judge({ attributes, periods, location, clocks }: ReadMpd): void {
  const isDynamic = attributes.type === 'dynamic';
  for (const name of [
    ...['availabilityStartTime', 'publishTime', 'minimumUpdatePeriod'],
    'suggestedPresentationDelay',
  ]) {
    assert.equal(name in attributes, isDynamic, `MPD@${name}`);
  }
  assert.equal('mediaPresentationDuration' in attributes, !isDynamic);
  assert.equal(location !== undefined, isDynamic, 'Location');
  assert.equal(clocks.length, isDynamic ? 1 : 0, 'UTCTiming');
  assert.ok(periods.length > 0);
  unique(periods.map(({ id }) => id));
  for (const [index, period] of periods.entries()) {
    const before = periods[index - 1];
    assert.ok(!before || period.startSeconds >= before.startSeconds, 'order of the periods');
    unique(period.sets.map((set) => set.attributes.id));
    unique(period.sets.flatMap((set) => set.representations.map(({ id }) => id)));
    for (const set of period.sets) judgeSet(set, seconds(attributes.maxSegmentDuration));
  }
}

function judgeSet(
  { attributes: set, representations }: ReadPeriod['sets'][number],
  maxSegmentSeconds: number,
): void {
  assert.ok(representations.length > 0);
  const isImage = set.contentType === 'image';
  const isHeard = set.contentType === 'audio' || set.contentType === 'text';
  assert.equal(set.lang !== undefined, isHeard, 'audio and captions have a language');
  assert.equal(set.mimeType === 'image/jpeg', isImage);
  for (const { id, attributes, init, segments, tiles } of representations) {
    assert.ok(segments.length > 0, `${id} has segments`);
    assert.equal(init !== undefined, !isImage, `${id}: init segment`);
    assert.equal('codecs' in attributes, !isImage, `${id}: codecs`);
    if (isImage) {
      const [columns, rows] =
        (tiles ?? '')
          .match(/^(\d+)x(\d+)$/)
          ?.slice(1)
          .map(Number) ?? [];
      assert.equal(Number(attributes.width) % (columns ?? 0), 0, 'width of the whole image');
      assert.equal(Number(attributes.height) % (rows ?? 0), 0, 'height of the whole image');
    }
    for (const { durationTicks } of segments) {
      assert.ok(durationTicks <= maxSegmentSeconds * 90_000, `${id}: MPD@maxSegmentDuration`);
    }
    if (set.contentType === 'audio') assert.ok('audioSamplingRate' in attributes);
    if (set.contentType !== 'video') continue;
    assert.ok(Number(attributes.width) <= Number(set.maxWidth), 'AdaptationSet@maxWidth');
    assert.ok(Number(attributes.height) <= Number(set.maxHeight), 'AdaptationSet@maxHeight');
    assert.ok('frameRate' in attributes);
  }
}

const unique = (ids: readonly (string | undefined)[]): void =>
  assert.equal(new Set(ids).size, ids.length, `ids that differ: ${ids.join(', ')}`);
