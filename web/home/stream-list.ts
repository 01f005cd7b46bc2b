/** The list of streams: live ones first, refreshed while the page is visible. */

import type { StreamView } from '../../lib/api/messages.ts';
import { forgetOwnerKey, readOwnerKey } from '../shared/owner-key.ts';
import { find, instantiate } from '../shared/page-elements.ts';
import { listStreams } from '../shared/stream-api.ts';
import { inListOrder } from '../shared/stream-summary.ts';
import { text } from '../texts/text.ts';
import { createCreateDialog } from './create-dialog.ts';
import { createKeyDialog, isRefused } from './key-dialog.ts';
import { KINDS, shownStreams } from './list-filter.ts';
import { createManageDialog } from './manage-dialog.ts';
import { fillCard } from './stream-card.ts';
import { createUploadDialog } from './upload-dialog.ts';

const REFRESH_MS = 5000;

export type StreamList = Readonly<{ refresh(): void }>;

/** Renders the list into `page`. */
export function showStreamList(page: HTMLElement): StreamList {
  const view = instantiate('list-template');
  const note = find(view, '.list-note', HTMLElement);
  const cards = find(view, '.cards', HTMLUListElement);
  const search = find(view, '.list-search', HTMLInputElement);
  const newStream = find(view, '.new-stream', HTMLButtonElement);
  const forOwner = find(view, '.for-owner', HTMLButtonElement);
  const uploadFile = find(view, '.upload-open', HTMLButtonElement);
  const wall = find(view, '.wall-link', HTMLAnchorElement);
  const forget = find(view, '.forget-key', HTMLButtonElement);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let call = new AbortController();
  let streams: readonly StreamView[] | undefined;
  /** Why the list is not what was asked for. */
  let trouble = '';

  const upload = createUploadDialog(() => refresh());
  const manage = createManageDialog(
    () => refresh(),
    (stream) => upload.open(stream),
  );
  const create = createCreateDialog((stream) => {
    const { uploadKey, settings: _, ...created } = stream;
    manage.open(created, uploadKey);
    refresh();
  });
  const askKey = createKeyDialog(() => refresh());

  /** Begins anew: an answer to an earlier question, perhaps with another key, is not waited for. */
  function refresh(): void {
    clearTimeout(timer);
    call.abort();
    call = new AbortController();
    void load(call.signal);
  }

  async function load(signal: AbortSignal): Promise<void> {
    const key = readOwnerKey();
    try {
      streams = inListOrder(await listStreams(key, signal));
      trouble = trouble === text('home.wrongKey') && key === undefined ? trouble : '';
    } catch (error) {
      if (signal.aborted) return;
      if (isRefused(error) && key !== undefined) {
        forgetOwnerKey();
        trouble = text('home.wrongKey');
        return load(signal);
      }
      trouble = text('home.unreachable');
    }
    if (signal.aborted) return;
    show();
    if (streams && key !== undefined) {
      manage.refresh(streams);
      upload.resume(streams);
    }
    if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
  }

  function show(): void {
    const isOwner = readOwnerKey() !== undefined;
    for (const button of [newStream, uploadFile, forget]) button.hidden = !isOwner;
    forOwner.hidden = isOwner;
    const all = streams ?? [];
    wall.hidden = all.filter(({ state }) => state === 'live').length < 2;
    const shown = shownStreams(all, kindOf(view), search.value);
    find(view, '.list-tools', HTMLElement).hidden = all.length === 0;
    const none = isOwner ? text('home.empty') : text('home.noneListed');
    const empty =
      streams && (all.length === 0 ? none : shown.length === 0 ? text('home.noneFound') : '');
    const said = trouble || empty || '';
    if (note.textContent !== said) note.textContent = said;
    showCards(cards, shown);
  }

  search.addEventListener('input', show);
  find(view, '.list-kinds', HTMLElement).addEventListener('change', show);
  newStream.addEventListener('click', create);
  uploadFile.addEventListener('click', () => upload.open());
  forOwner.addEventListener('click', askKey);
  forget.addEventListener('click', () => {
    forgetOwnerKey();
    streams = undefined;
    refresh();
  });
  cards.addEventListener('click', ({ target }) => {
    if (!(target instanceof Element) || !target.closest('.card-manage')) return;
    const videoId = target.closest<HTMLElement>('.card')?.dataset.videoId;
    const stream = streams?.find((one) => one.videoId === videoId);
    if (stream) manage.open(stream);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else refresh();
  });

  page.replaceChildren(view);
  refresh();
  return { refresh };
}

function kindOf(view: HTMLElement): (typeof KINDS)[number] {
  const { value } = find(view, '[name="kind"]:checked', HTMLInputElement);
  return KINDS.find((kind) => kind === value) ?? 'all';
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
    fillCard(card, stream, Date.now());
    return card;
  });
  const isSame =
    wanted.length === list.children.length && wanted.every((card, i) => card === list.children[i]);
  if (!isSame) list.replaceChildren(...wanted);
}
