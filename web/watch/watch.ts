/** The watch page: chooses one of its two views, and takes the owner's key from a link. */

import { keepOwnerKey } from './owner-key.ts';
import { find } from './page-elements.ts';
import { parseRoute, takeKey, videoIdFrom, watchHash } from './route.ts';
import { showStreamList } from './stream-list.ts';

const page = find(document, '#page', HTMLElement);
let leave: () => void = () => undefined;
let shown = '';

async function show(): Promise<void> {
  const carried = takeKey(location.hash);
  if (carried) {
    keepOwnerKey(carried.key, false);
    // Removed from the address bar, so that no copied link and no history has the key.
    history.replaceState(null, '', carried.hash);
  }
  const route = parseRoute(location.hash);
  const wanted = JSON.stringify(route);
  if (wanted === shown && !carried) return;
  shown = wanted;
  leave();
  leave = () => undefined;
  if (route.page === 'list') {
    leave = showStreamList(page);
    return;
  }
  // A lazy chunk: the player is most of the page's bytes, and the list works without it.
  const player = await import('./watch-page.ts').catch(() => undefined);
  if (shown !== wanted) return;
  if (player) leave = player.showWatchPage(page, route.videoId);
  // The server is unreachable, or a newer build has replaced the chunk.
  else page.textContent = 'The player could not be loaded. Reload the page to try again.';
}

const openForm = find(document, '.open-stream form', HTMLFormElement);
openForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const videoId = videoIdFrom(String(new FormData(openForm).get('videoId')));
  if (videoId === '') return;
  openForm.reset();
  location.hash = watchHash(videoId);
});

window.addEventListener('hashchange', () => void show());
void show();
