/** What can be done with a tile: other players, and a picture of it. */

import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import type { Tile } from './tile.ts';
import { fileName, playlistAddress, playlistFile, vlcAddress } from './wall-address.ts';

export function connectTileActions(
  element: HTMLElement,
  tile: Pick<Tile, 'videoId' | 'title' | 'video' | 'shownAtMs' | 'toggleSound'>,
  tell: (words: string) => void,
): void {
  const { videoId } = tile;
  const address = playlistAddress(location.origin, videoId);
  find(element, '.tile-vlc', HTMLAnchorElement).href = vlcAddress(address);
  const on = (selector: string, act: () => void): void =>
    find(element, selector, HTMLButtonElement).addEventListener('click', act);
  on('.tile-copy', () => {
    // Without TLS there is no clipboard; then the address can be copied by hand.
    const copied = navigator.clipboard?.writeText(address) ?? Promise.reject(new Error());
    copied.then(
      () => tell(text('wall.copied')),
      () => tell(address),
    );
  });
  on('.tile-file', () => {
    const file = new Blob([playlistFile(tile.title, address)], { type: 'audio/x-mpegurl' });
    download(file, fileName(videoId, 'm3u'));
  });
  on('.tile-snapshot', () => {
    const picture = tile.video && pictureOf(tile.video);
    if (!picture) return tell(text('wall.noPicture'));
    const name = fileName(videoId, 'png', tile.shownAtMs ?? Date.now());
    picture.toBlob((blob) => {
      if (blob) download(blob, name);
      tell(blob ? text('wall.saved', { name }) : text('wall.noPicture'));
    }, 'image/png');
  });
  on('.tile-sound', () => tile.toggleSound());
}

/** As large as it was sent; undefined while there is none. */
function pictureOf(video: HTMLVideoElement): HTMLCanvasElement | undefined {
  if (video.videoWidth === 0 || video.readyState < 2) return undefined;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  return canvas;
}

function download(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
