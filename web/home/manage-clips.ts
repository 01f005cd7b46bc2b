/** The clips of a stream that its owner keeps: to open, to pass on, and to remove. */

import type { SavedClipView, StreamView } from '../../lib/api/messages.ts';
import { formatClock } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { text } from '../texts/text.ts';
import { reasonOf } from './dialog.ts';
import { ownerApi } from './owner-api.ts';

export function createClipsSection(
  dialog: HTMLElement,
  stream: () => StreamView,
): Readonly<{ reset(): void }> {
  const section = find(dialog, '.clips-section', HTMLDetailsElement);
  const list = find(section, '.clips', HTMLUListElement);
  const said = find(section, '.clips-said', HTMLElement);
  let loads = 0;

  async function load(): Promise<void> {
    const { videoId } = stream();
    loads += 1;
    const mine = loads;
    const clips = await ownerApi().listClips(videoId);
    // The dialog was opened for another stream meanwhile.
    if (mine !== loads) return;
    list.replaceChildren(...clips.map((clip) => itemOf(videoId, clip)));
    sayIfNone();
  }

  function sayIfNone(): void {
    said.textContent = list.childElementCount === 0 ? text('manage.clipsNone') : '';
  }

  function itemOf(videoId: string, clip: SavedClipView): HTMLLIElement {
    const { id, title, from, to } = clip;
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = `${watchPath(videoId)}?from=${from}&to=${to}`;
    link.textContent = title ?? new Date(from).toLocaleString();
    const length = document.createElement('span');
    length.className = 'soft';
    length.textContent = formatClock((Date.parse(to) - Date.parse(from)) / 1000);
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'quiet';
    remove.textContent = text('manage.clipRemove');
    remove.setAttribute(
      'aria-label',
      text('manage.clipRemoveOne', { title: link.textContent ?? '' }),
    );
    remove.addEventListener('click', () =>
      attempt(async () => {
        remove.disabled = true;
        await ownerApi().removeClip(videoId, id);
        // A list that was asked for now may come from a cache.
        item.remove();
        sayIfNone();
        (list.querySelector('button') ?? find(section, 'summary', HTMLElement)).focus();
      }),
    );
    item.append(link, length, remove);
    return item;
  }

  const attempt = (act: () => Promise<void>): void => {
    act().catch((error: unknown) => {
      said.textContent = reasonOf(error);
      for (const button of list.querySelectorAll('button')) button.disabled = false;
    });
  };

  section.addEventListener('toggle', () => {
    if (section.open) attempt(load);
  });

  return {
    reset() {
      loads += 1;
      list.replaceChildren();
      said.textContent = '';
    },
  };
}
