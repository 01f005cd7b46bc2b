/** The watch page: the stream that its path names. */

import { find } from '../shared/page-elements.ts';
import { connectOpenForm, keepKeyOfLink } from '../shared/page-frame.ts';
import { videoIdOf } from '../shared/route.ts';
import { useLanguage } from '../shared/translate.ts';
import { showWatchPage } from './watch-page.ts';

useLanguage(navigator.languages);
keepKeyOfLink();
connectOpenForm();
showWatchPage(find(document, '#page', HTMLElement), videoIdOf(location.pathname) ?? '');
