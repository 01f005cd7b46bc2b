/** The home page: the streams, and the way from old links to theirs. */

import { find } from '../shared/page-elements.ts';
import { connectOpenForm, keepKeyOfLink } from '../shared/page-frame.ts';
import { videoIdOfOldLink, watchPath } from '../shared/route.ts';
import { useLanguage } from '../shared/translate.ts';
import { showStreamList } from './stream-list.ts';

useLanguage(navigator.languages);
keepKeyOfLink();
const videoId = videoIdOfOldLink(location.hash);
if (videoId !== undefined) location.replace(watchPath(videoId));
else {
  connectOpenForm();
  const list = showStreamList(find(document, '#page', HTMLElement));
  // A link with a key that is opened while the page is there.
  window.addEventListener('hashchange', () => {
    keepKeyOfLink();
    const linked = videoIdOfOldLink(location.hash);
    if (linked !== undefined) return location.assign(watchPath(linked));
    list.refresh();
  });
}
