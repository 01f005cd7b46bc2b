/** The panel with the links that can be shared: of the page, of the moment on the screen, and of the player. */

import { connectCopyButton } from '../shared/copy-button.ts';
import { find } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { embedCode, linkAt, type Moment } from './moment.ts';

export function connectSharePanel(
  view: HTMLElement,
  videoId: string,
  now: () => Readonly<{ title: string; moment: Moment | undefined }>,
): void {
  const panel = find(view, '.share-panel', HTMLElement);
  const button = find(view, '.share', HTMLButtonElement);
  const page = new URL(watchPath(videoId), location.origin).href;

  button.addEventListener('click', () => {
    panel.hidden = !panel.hidden;
    button.setAttribute('aria-expanded', String(!panel.hidden));
    if (panel.hidden) return;
    const { title, moment } = now();
    fill('.share-link', page);
    fill('.share-moment', moment ? linkAt(page, moment) : page);
    fill('.share-embed', embedCode(location.origin, videoId, title));
  });

  function fill(selector: string, value: string): void {
    find(panel, `${selector} input`, HTMLInputElement).value = value;
  }

  for (const row of panel.querySelectorAll<HTMLElement>('.share-row')) {
    const input = find(row, 'input', HTMLInputElement);
    input.addEventListener('focus', () => input.select());
    connectCopyButton(find(row, 'button', HTMLButtonElement), input);
  }
}
