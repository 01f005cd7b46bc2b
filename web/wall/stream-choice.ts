/** The dialog in which the streams of a wall are chosen. */

import type { StreamView } from '../../lib/api/messages.ts';
import { find, instantiate } from '../shared/page-elements.ts';
import { videoIdFrom } from '../shared/route.ts';
import { inListOrder } from '../shared/stream-summary.ts';

/** `list`: the streams that the viewer may see. `chosen` is called with the ids when the viewer has decided. */
export function connectStreamChoice(
  page: HTMLElement,
  list: () => Promise<readonly StreamView[]>,
  shown: () => readonly string[],
  chosen: (videoIds: readonly string[]) => void,
): void {
  const dialog = find(page, '.choice', HTMLDialogElement);
  const items = find(dialog, '.choice-list', HTMLElement);
  const form = find(dialog, 'form', HTMLFormElement);
  const other = find(dialog, '.choice-other', HTMLInputElement);

  async function open(): Promise<void> {
    const streams = await list().catch(() => []);
    const titles = new Map(shown().map((videoId) => [videoId, videoId]));
    for (const { videoId, title } of inListOrder(streams)) titles.set(videoId, title);
    items.replaceChildren(
      ...Array.from(titles, ([videoId, title]) => {
        const item = instantiate('choice-template');
        const box = find(item, 'input', HTMLInputElement);
        box.value = videoId;
        box.checked = shown().includes(videoId);
        find(item, 'span', HTMLElement).textContent =
          title === videoId ? title : `${title} (${videoId})`;
        return item;
      }),
    );
    other.value = '';
    dialog.showModal();
  }

  find(page, '.wall-choose', HTMLButtonElement).addEventListener('click', () => void open());
  find(dialog, '.choice-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
  form.addEventListener('submit', () => {
    const named = other.value.split(/[\s,]+/).map(videoIdFrom);
    chosen([...new FormData(form).getAll('stream').map(String), ...named.filter(Boolean)]);
  });
}
