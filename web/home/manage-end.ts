/** Ending a stream, and deleting it. */

import type { StreamView } from '../../lib/api/messages.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import { onSubmit, showError } from './dialog.ts';
import { ownerApi } from './owner-api.ts';

export function connectEndAndDelete(
  dialog: HTMLDialogElement,
  stream: () => StreamView,
  changed: () => void,
): Readonly<{ show(view: StreamView): void; reset(): void }> {
  const end = find(dialog, 'form.end', HTMLFormElement);
  const remove = find(dialog, 'form.delete', HTMLFormElement);
  const typed = find(remove, '[name="videoId"]', HTMLInputElement);
  const confirmed = find(remove, '[type="submit"]', HTMLButtonElement);
  const isConfirmed = (): boolean => typed.value.trim() === stream().videoId;
  typed.addEventListener('input', () => {
    confirmed.disabled = !isConfirmed();
  });
  onSubmit(end, async () => {
    await ownerApi().endStream(stream().videoId);
    changed();
  });
  onSubmit(remove, async () => {
    if (!isConfirmed()) return;
    await ownerApi().deleteStream(stream().videoId);
    dialog.close();
    changed();
  });

  return {
    show({ videoId, state }) {
      find(remove, '.delete-id', HTMLElement).textContent = videoId;
      find(end, '[type="submit"]', HTMLButtonElement).disabled = state !== 'live';
      const why = state === 'ended' ? 'manage.ended' : 'manage.endWhy';
      find(end, '.end-why', HTMLElement).textContent = text(why);
    },
    reset() {
      typed.value = '';
      confirmed.disabled = true;
      showError(end, undefined);
      showError(remove, undefined);
    },
  };
}
