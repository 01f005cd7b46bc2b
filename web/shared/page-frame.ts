/** The frame that the pages have around their content: the form that opens a stream, and the key in a link. */

import { keepOwnerKey } from './owner-key.ts';
import { find } from './page-elements.ts';
import { takeKey, videoIdFrom, watchPath } from './route.ts';

/** Takes the owner's key from the address, so that no copied link and no history has it. */
export function keepKeyOfLink(): void {
  const carried = takeKey(location.hash);
  if (!carried) return;
  keepOwnerKey(carried.key, false);
  history.replaceState(null, '', `${location.pathname}${location.search}${carried.hash}`);
}

export function connectOpenForm(): void {
  const form = find(document, '.open-stream form', HTMLFormElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const videoId = videoIdFrom(String(new FormData(form).get('videoId')));
    if (videoId !== '') location.assign(watchPath(videoId));
  });
}
