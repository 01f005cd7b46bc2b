/** Which of several media types a client takes, by its Accept header (RFC 9110, 12.5.1). Pure. */

/**
 * Those of `types` that are taken, the most wanted first; of equally wanted ones in their own order. All
 * of them without a header. Parameters besides the weight do not count.
 */
export function acceptedTypes(
  header: string | undefined,
  types: readonly string[],
): readonly string[] {
  if (header === undefined || header.trim() === '') return types;
  const weights = new Map(header.split(',').flatMap(parseRange));
  const weightOf = (type: string): number =>
    [type, `${type.split('/')[0]}/*`, '*/*'].reduce<number | undefined>(
      (found, range) => found ?? weights.get(range),
      undefined,
    ) ?? 0;
  return types.filter((type) => weightOf(type) > 0).toSorted((a, b) => weightOf(b) - weightOf(a));
}

/** The range in lower case, with its weight; nothing of what is none. */
function parseRange(text: string): (readonly [range: string, weight: number])[] {
  const [range = '', ...parameters] = text
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const weight = parameters.find((one) => one.startsWith('q='))?.slice(2) ?? '1';
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? [[range, Number(weight)]] : [];
}
