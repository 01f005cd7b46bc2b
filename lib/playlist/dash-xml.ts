/** What an MPD is made of: XML elements, and the durations and times in their attributes. */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Lines of an element, or text that stands as it is. */
export type XmlLines = readonly string[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Characters that XML 1.0 has no way to hold (2.2). */
const IMPOSSIBLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** What XML cannot hold becomes U+FFFD. */
const escapeXml = (text: string, reserved: RegExp): string =>
  text
    .toWellFormed()
    .replace(IMPOSSIBLE, '\uFFFD')
    .replace(reserved, (character) => ESCAPES[character] ?? character);

const RESERVED_IN_TEXT = /[&<>\r]/g;
const RESERVED_IN_ATTRIBUTES = /[&<>"\t\n\r]/g;

/** `<name a="1"/>` in the order given; undefined attributes are left out. */
export const tag = (name: string, attributes: Attributes = {}, end = '/'): string =>
  `<${[name, ...Object.entries(attributes).flatMap(formatAttribute)].join(' ')}${end}>`;

const formatAttribute = ([name, value]: readonly [string, Attributes[string]]): string[] =>
  value === undefined ? [] : [`${name}="${escapeXml(String(value), RESERVED_IN_ATTRIBUTES)}"`];

/** With its children on lines of their own; without any, an empty element. */
export const element = (name: string, attributes: Attributes, children: XmlLines): XmlLines =>
  children.length === 0
    ? [tag(name, attributes)]
    : [tag(name, attributes, ''), ...children.map((line) => `  ${line}`), `</${name}>`];

/** On one line. */
export const textElement = (name: string, attributes: Attributes, text: string): string =>
  `${tag(name, attributes, '')}${escapeXml(text, RESERVED_IN_TEXT)}</${name}>`;

/** xs:duration, of milliseconds that may have a fraction; to the microsecond. */
export const formatDuration = (milliseconds: number): string =>
  `PT${Number((milliseconds / 1000).toFixed(6))}S`;

/** xs:dateTime of a Unix time in milliseconds. */
export const formatTime = (timeMs: number): string => new Date(Math.round(timeMs)).toISOString();
