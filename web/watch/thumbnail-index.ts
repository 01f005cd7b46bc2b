/** The index of preview thumbnails as the server gives it (WebVTT). Pure. */

/** Unix times in milliseconds; places in the image in pixels. */
export type Thumbnail = Readonly<{
  startMs: number;
  endMs: number;
  url: string;
  left: number;
  top: number;
  width: number;
  height: number;
}>;

/** By start. The name of a cue is the instant of its beginning; a cue without one is passed over. */
export function parseThumbnails(vtt: string): Thumbnail[] {
  const cues = vtt.matchAll(
    /^(\d{4}-\S+Z)\r?\n([\d:.]+) --> ([\d:.]+).*\r?\n([^"\s]+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm,
  );
  return [...cues].map(([, name = '', from = '', to = '', url = '', ...place]) => {
    const startMs = Date.parse(name);
    const endMs = startMs + millisecondsOf(to) - millisecondsOf(from);
    const [left = 0, top = 0, width = 0, height = 0] = place.map(Number);
    return { startMs, endMs, url, left, top, width, height };
  });
}

const millisecondsOf = (time: string): number =>
  1000 * time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

/** undefined: none was made of that moment, or it is not in the index yet. */
export function thumbnailAt(
  thumbnails: readonly Thumbnail[],
  instantMs: number,
): Thumbnail | undefined {
  const found = thumbnails.findLast(({ startMs }) => startMs <= instantMs);
  return found && instantMs < found.endMs ? found : undefined;
}
