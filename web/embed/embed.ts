/** The embed page: the player of one stream, in a frame of another site. */

import { find } from '../shared/page-elements.ts';
import { videoIdOf } from '../shared/route.ts';
import { useLanguage } from '../shared/translate.ts';
import { showWatchPage } from '../watch/watch-page.ts';

useLanguage(navigator.languages);
showWatchPage(find(document, '#page', HTMLElement), videoIdOf(location.pathname) ?? '');
