/** The wall page: the streams that its address names, or those that are live. */

import { ApiError } from '../../lib/api/client.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { forgetOwnerKey, readOwnerKey } from '../shared/owner-key.ts';
import { find } from '../shared/page-elements.ts';
import { connectOpenForm, keepKeyOfLink } from '../shared/page-frame.ts';
import { listStreams } from '../shared/stream-api.ts';
import { inListOrder } from '../shared/stream-summary.ts';
import { useLanguage } from '../shared/translate.ts';
import { text } from '../texts/text.ts';
import { connectStreamChoice } from './stream-choice.ts';
import { canPlay } from './tile-player.ts';
import { MAX_STREAMS, searchOf, streamsOf } from './wall-address.ts';
import { createWallPage } from './wall-page.ts';

const REFRESH_MS = 5000;

useLanguage(navigator.languages);
keepKeyOfLink();
connectOpenForm();
document.title = `${text('wall.title')} · Rivulet`;
const page = find(document, '#page', HTMLElement);
const wall = createWallPage(page);
const note = find(page, '.wall-note', HTMLElement);
let shown: readonly string[] = [];

function show(videoIds: readonly string[]): void {
  shown = videoIds;
  const why = canPlay() ? 'wall.empty' : 'viewing.failed';
  note.textContent = text(why);
  note.hidden = canPlay() && videoIds.length > 0;
  wall.show(canPlay() ? videoIds : []);
}

async function list(): Promise<readonly StreamView[]> {
  try {
    return await listStreams(readOwnerKey(), AbortSignal.timeout(2 * REFRESH_MS));
  } catch (error) {
    if (!(error instanceof ApiError) || ![401, 403].includes(error.status)) throw error;
    if (readOwnerKey() === undefined) throw error;
    forgetOwnerKey();
    return list();
  }
}

/** A stream that has ended stays: it may come back. */
async function refresh(): Promise<void> {
  if (streamsOf(location.search)) return;
  if (!document.hidden) {
    try {
      const live = inListOrder(await list()).filter(({ state }) => state === 'live');
      const ids = live.map(({ videoId }) => videoId).filter((videoId) => !shown.includes(videoId));
      if (!streamsOf(location.search)) show([...shown, ...ids.toSorted()].slice(0, MAX_STREAMS));
    } catch {
      wall.tell(text('home.unreachable'));
    }
  }
  setTimeout(() => void refresh(), REFRESH_MS);
}

connectStreamChoice(
  page,
  list,
  () => shown,
  (videoIds) => {
    const search = searchOf(videoIds);
    history.replaceState(null, '', `${location.pathname}${search}`);
    show(streamsOf(search) ?? []);
  },
);
const named = streamsOf(location.search);
if (named) show(named);
else void refresh();
