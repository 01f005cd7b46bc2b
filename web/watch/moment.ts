/** Moments in links: `?t=90`, `?t=1h2m3s`, `?t=1:02:03` from the start, or an instant of the stream's wall clock. Pure. */

export type Moment = Readonly<{ seconds: number } | { instantMs: number }>;

/** undefined for what is no moment: the link then plays as it does without. */
export function parseMoment(text: string | null): Moment | undefined {
  if (text === null) return undefined;
  if (/^\d{4}-\d\d-\d\dT/.test(text)) {
    const instantMs = Date.parse(text);
    return Number.isNaN(instantMs) ? undefined : { instantMs };
  }
  const units = text.match(/^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/i);
  const clock = text.match(/^(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/);
  const parts = units?.[0] ? units : clock;
  if (!parts) return undefined;
  const [hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return { seconds: (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0) };
}

/** The link to a page, at a moment. Seconds are whole; an instant has milliseconds, for one frame. */
export function linkAt(page: string, moment: Moment): string {
  const url = new URL(page);
  const text =
    'seconds' in moment
      ? String(Math.max(0, Math.floor(moment.seconds)))
      : new Date(moment.instantMs).toISOString();
  url.search = `?t=${text}`;
  url.hash = '';
  return url.href;
}

/** What another site puts into its page. */
export const embedCode = (origin: string, videoId: string, title: string): string =>
  `<iframe src="${origin}/embed/${encodeURIComponent(videoId)}" title="${title.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" width="960" height="540" style="border:0;aspect-ratio:16/9;width:100%;height:auto" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
