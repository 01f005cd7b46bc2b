/** Shows a message over the video, and announces it to screen readers. */

import { find } from './page-elements.ts';
import type { ViewingMessage } from './viewing-message.ts';

type Action = NonNullable<ViewingMessage['action']>['event'];

export function showNotice(
  view: HTMLElement,
  message: ViewingMessage,
  act: (event: Action) => void,
): void {
  const notice = find(view, '.notice', HTMLElement);
  const banner = find(view, '.banner', HTMLElement);
  notice.hidden = message.place !== 'screen';
  banner.hidden = message.place !== 'banner';
  notice.classList.toggle('busy', message.busy);
  find(notice, '.notice-title', HTMLElement).textContent = message.title;
  find(notice, '.notice-detail', HTMLElement).textContent = message.detail;
  find(banner, '.banner-title', HTMLElement).textContent = message.title;
  find(banner, '.banner-detail', HTMLElement).textContent = message.detail;
  const button = find(notice, '.notice-action', HTMLButtonElement);
  const { action } = message;
  button.hidden = !action;
  button.textContent = action?.label ?? '';
  button.onclick = action ? () => act(action.event) : null;
  const announcer = find(view, '.announcer', HTMLElement);
  const said = message.place === 'none' ? '' : `${message.title} ${message.detail}`.trim();
  if (announcer.textContent !== said) announcer.textContent = said;
}
