/** What is played or shown by default, by the viewer's region. Pure. */

/** `*`: everywhere else. */
export const ANYWHERE = '*';

/** Languages (BCP 47) by country (ISO 3166-1, two capital letters), or `*`. */
export type RegionDefaults = Readonly<Record<string, string>>;

/** The language of a region; of an unknown one (undefined) that of `*`. undefined: the owner has set none. */
export const regionDefault = (
  defaults: RegionDefaults | undefined,
  country?: string,
): string | undefined => (country && defaults?.[country]) || defaults?.[ANYWHERE];

/** In which the CDN says where a viewer is; on one machine the gateway, if a proxy tells it. */
export const COUNTRY_HEADER = 'cloudfront-viewer-country';

/** A country as a CDN or proxy says it; undefined for what is none, as `XX` and `T1` (unknown, Tor). */
export function parseCountry(text: string | undefined): string | undefined {
  const country = text?.trim().toUpperCase();
  return country && /^[A-Z]{2}$/.test(country) && country !== 'XX' ? country : undefined;
}
