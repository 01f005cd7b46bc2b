/** The picture at a moment that the viewer looks for, from the index of preview thumbnails. */

import { viewThumbnails } from '../shared/stream-api.ts';
import { parseThumbnails, type Thumbnail, thumbnailAt } from './thumbnail-index.ts';

/** A live stream has newer ones than the index; an index is also asked for again after a failure. */
const RELOAD_MS = 4000;

/** Shows the picture of an instant in `element`, or hides it. `address`: of the index; undefined: there is none. */
export function createPreviewThumbnails(
  element: HTMLElement,
  address: () => string | undefined,
): (instantMs: number | undefined) => void {
  let thumbnails: readonly Thumbnail[] = [];
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let wantedMs: number | undefined;

  async function load(from: string): Promise<void> {
    askedAtMs = performance.now();
    const text = await viewThumbnails(from).catch(() => undefined);
    if (text === undefined) return;
    thumbnails = parseThumbnails(text);
    paint();
  }

  function paint(): void {
    const found = wantedMs === undefined ? undefined : thumbnailAt(thumbnails, wantedMs);
    element.hidden = found === undefined;
    if (!found) return;
    const { url, left, top, width, height } = found;
    Object.assign(element.style, {
      ...{ width: `${width}px`, height: `${height}px` },
      backgroundImage: `url("${url}")`,
      backgroundPosition: `-${left}px -${top}px`,
    });
  }

  return (instantMs) => {
    wantedMs = instantMs;
    paint();
    const from = address();
    const isKnown = instantMs === undefined || !element.hidden;
    if (from !== undefined && !isKnown && performance.now() - askedAtMs > RELOAD_MS)
      void load(from);
  };
}
