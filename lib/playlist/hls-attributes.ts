/** What HLS lines are made of: attribute lists, quoted strings and URIs (RFC 8216bis, 4.1 and 4.2). */

/**
 * Neither a quoted string nor a URI can hold these, and there is no escape for them. `{$` would
 * begin a variable reference (4.3), and players refuse one that nothing defines.
 */
const UNQUOTABLE = /["\p{Cc}\p{Zl}\p{Zp}]|\{\$/u;
const ILLEGAL_IN_URI = /[\s"\p{Cc}]|^#|^$|\{\$/u;

/** A quoted string of machine-made text. Throws on what cannot be quoted: that is a fault of the caller. */
export function quoted(text: string): string {
  if (UNQUOTABLE.test(text))
    throw new Error(`${JSON.stringify(text)} cannot be quoted in a playlist.`);
  return `"${text}"`;
}

/** A quoted string of words that people wrote: what cannot be quoted becomes its nearest likeness. */
export function quotedLabel(words: string): string {
  const label = words
    .toWellFormed()
    .normalize('NFC')
    .replaceAll('"', "'")
    .replaceAll('{$', '{ $')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  if (label === '') throw new Error(`${JSON.stringify(words)} leaves no label for a playlist.`);
  return `"${label}"`;
}

/** The URI itself. Throws if it would not stay one URI on its line or between its quotes. */
export function checkedUri(uri: string): string {
  if (ILLEGAL_IN_URI.test(uri)) throw new Error(`${JSON.stringify(uri)} is no URI for a playlist.`);
  return uri;
}

/** `NAME=value,NAME=value` in the order given; values stand as they are, undefined ones are left out. */
export const formatAttributes = (
  attributes: Readonly<Record<string, string | number | undefined>>,
): string =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');

/** Values by name, without their quotes. Reads up to the first thing that is no attribute; never throws. */
export function parseAttributes(text: string): ReadonlyMap<string, string> {
  const attribute = /\s*([^=,\s]+)\s*=\s*(?:"([^"]*)"\s*(?=,|$)|([^,]*))(?:,|$)/y;
  const values = new Map<string, string>();
  for (let match = attribute.exec(text); match; match = attribute.exec(text)) {
    const [, name = '', inQuotes, bare = ''] = match;
    values.set(name, inQuotes ?? bare.trim());
  }
  return values;
}
