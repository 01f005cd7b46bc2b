/** Languages by their BCP 47 tags: one spelling of each, their names, and which of several is meant. Pure. */

export const UNDETERMINED = 'und';

/**
 * One spelling of a tag: `fre` and `fra` become `fr`, `pt-br` becomes `pt-BR`, a retired tag becomes the
 * one that replaced it. `und` for what is no tag.
 */
export function normalLanguage(tag: string | undefined): string {
  try {
    return (tag && Intl.getCanonicalLocales(tag)[0]) || UNDETERMINED;
  } catch {
    return UNDETERMINED;
  }
}

/** The language's name in itself, as `Français`; the tag where no name is known. */
export function ownName(language: string): string {
  const names = new Intl.DisplayNames([language], { type: 'language' });
  const name = names.of(language) ?? language;
  const [first = '', ...rest] = name;
  return name === language ? language : first.toLocaleUpperCase(language) + rest.join('');
}

/**
 * Which of `offered` is meant by a tag: the same one, else what is left when subtags are taken off its
 * end (RFC 4647, 3.4), each also as the beginning of a longer tag (3.3.1), so that `fr` finds `fr-CA` and
 * `fr-CH` finds both. -1: none. Earlier ones win.
 */
export function matchLanguage(offered: readonly string[], wanted: string): number {
  const tags = offered.map((tag) => normalLanguage(tag).toLowerCase());
  const subtags = normalLanguage(wanted).toLowerCase().split('-');
  while (subtags.length > 0) {
    const range = subtags.join('-');
    const exact = tags.indexOf(range);
    if (exact >= 0) return exact;
    const longer = tags.findIndex((tag) => tag.startsWith(`${range}-`));
    if (longer >= 0) return longer;
    subtags.pop();
    // What a single letter introduces is gone, so it is, too (3.4).
    if (subtags.at(-1)?.length === 1) subtags.pop();
  }
  return -1;
}
