/** The list of streams, for their owner: live ones first, refreshed while the page is visible. */

import { ApiError } from '../../lib/api/client.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { forgetOwnerKey, keepOwnerKey, readOwnerKey } from '../shared/owner-key.ts';
import { find, instantiate } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { listStreams } from '../shared/stream-api.ts';
import { badgeOf, inListOrder, summaryOf, troubleOf } from '../shared/stream-summary.ts';
import { supplyOf } from '../shared/supply.ts';
import { text } from '../shared/texts.ts';

const REFRESH_MS = 5000;

/** Renders the list into `page`. Returns a function that stops it. */
export function showStreamList(page: HTMLElement): () => void {
  const view = instantiate('list-template');
  const note = find(view, '.list-note', HTMLElement);
  const form = find(view, '.key-form', HTMLFormElement);
  const forget = find(view, '.forget-key', HTMLButtonElement);
  const cards = find(view, '.cards', HTMLUListElement);
  const leaving = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function refresh(): Promise<void> {
    clearTimeout(timer);
    const key = readOwnerKey();
    const isOwner = key !== undefined;
    try {
      const streams = await listStreams(key, leaving.signal);
      form.hidden = isOwner;
      forget.hidden = !isOwner;
      const isRefused = view.dataset.refused === 'true';
      const none = isOwner ? 'home.empty' : 'home.noneListed';
      const empty = streams.length === 0 ? text(none) : '';
      note.textContent = isRefused ? text('home.wrongKey') : empty;
      showCards(cards, inListOrder(streams));
    } catch (error) {
      if (leaving.signal.aborted) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        forgetOwnerKey();
        view.dataset.refused = 'true';
        return refresh();
      }
      note.textContent = text('home.unreachable');
    }
    timer = setTimeout(() => void refresh(), REFRESH_MS);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const data = new FormData(form);
    keepOwnerKey(String(data.get('key')).trim(), data.has('remember'));
    form.reset();
    delete view.dataset.refused;
    void refresh();
  });
  forget.addEventListener('click', () => {
    forgetOwnerKey();
    void refresh();
  });
  document.addEventListener(
    'visibilitychange',
    () => {
      clearTimeout(timer);
      if (!document.hidden) void refresh();
    },
    { signal: leaving.signal },
  );

  document.title = 'Rivulet';
  page.replaceChildren(view);
  void refresh();
  return () => {
    leaving.abort();
    clearTimeout(timer);
  };
}

/** Reuses the cards' elements, so that a refresh does not lose focus and pointer. */
function showCards(list: HTMLUListElement, streams: readonly StreamView[]): void {
  const present = new Map(
    [...list.children].flatMap((card) =>
      card instanceof HTMLElement ? [[card.dataset.videoId ?? '', card] as const] : [],
    ),
  );
  const wanted = streams.map((stream) => {
    const card = present.get(stream.videoId) ?? instantiate('card-template');
    fillCard(card, stream);
    return card;
  });
  const isSame =
    wanted.length === list.children.length && wanted.every((card, i) => card === list.children[i]);
  if (!isSame) list.replaceChildren(...wanted);
}

function fillCard(card: HTMLElement, stream: StreamView): void {
  const supply = supplyOf(stream);
  const badge = badgeOf(stream.state, supply);
  const trouble = troubleOf(supply, Date.parse(stream.serverTime ?? ''));
  card.dataset.videoId = stream.videoId;
  card.dataset.tone = badge.tone;
  find(card, '.card-link', HTMLAnchorElement).href = watchPath(stream.videoId);
  const badgeElement = find(card, '.badge', HTMLElement);
  badgeElement.textContent = badge.text;
  badgeElement.dataset.tone = badge.tone;
  find(card, '.card-title', HTMLElement).textContent = stream.title;
  find(card, '.card-facts', HTMLElement).textContent = [trouble, summaryOf(stream, Date.now())]
    .filter(Boolean)
    .join(' · ');
  find(card, '.card-id', HTMLElement).textContent =
    stream.title === stream.videoId ? '' : stream.videoId;
}
