/** What the head of a page says of its stream: title, and Open Graph for previews of links. Pure. */

import type { StreamState } from '../../lib/api/messages.ts';

export type PageInfo = Readonly<{
  /** Of the watch page, absolute. */
  url: string;
  title: string;
  state?: StreamState;
  durationSeconds?: number;
  /** Absolute. */
  poster?: string;
}>;

const BETWEEN_MARKS = /<!-- of the stream -->.*?<!-- end -->/s;

export const withPageInfo = (html: string, info: PageInfo): string =>
  html.replace(BETWEEN_MARKS, () => headOf(info));

function headOf(info: PageInfo): string {
  const { url, title, poster } = info;
  const description = descriptionOf(info);
  const meta = Object.entries({
    'og:title': title,
    'og:description': description,
    'og:type': 'video.other',
    'og:site_name': 'Rivulet',
    'og:url': url,
    ...(poster !== undefined && { 'og:image': poster, 'twitter:card': 'summary_large_image' }),
  }).map(([property, content]) => `<meta property="${property}" content="${escaped(content)}">`);
  return [
    `<title>${escaped(title)} · Rivulet</title>`,
    `<meta name="description" content="${escaped(description)}">`,
    ...meta,
    `<link rel="canonical" href="${escaped(url)}">`,
  ].join('\n    ');
}

function descriptionOf({ state, durationSeconds = 0 }: PageInfo): string {
  if (state === 'live') return 'Live now';
  if (state !== 'ended') return 'Begins soon';
  const minutes = Math.round(durationSeconds / 60);
  if (minutes < 1) return 'Recording';
  return minutes < 120 ? `Recording, ${minutes} min` : `Recording, ${Math.round(minutes / 60)} h`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? '');
