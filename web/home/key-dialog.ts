/** Asks for the owner key, and keeps one that the server accepts. */

import { ApiError } from '../../lib/api/client.ts';
import { keepOwnerKey } from '../shared/owner-key.ts';
import { find } from '../shared/page-elements.ts';
import { listStreams } from '../shared/stream-api.ts';
import { text } from '../texts/text.ts';
import { dialogOf, onSubmit, UserError } from './dialog.ts';

/** Returns what opens it. */
export function createKeyDialog(accepted: () => void): () => void {
  const dialog = dialogOf('#key-dialog');
  const form = find(dialog, 'form', HTMLFormElement);
  onSubmit(form, async (data) => {
    const key = String(data.get('key')).trim();
    await listStreams(key, new AbortController().signal).catch((error: unknown) => {
      if (isRefused(error)) throw new UserError(text('home.wrongKey'));
      throw error;
    });
    keepOwnerKey(key, data.has('remember'));
    dialog.close();
    accepted();
  });
  // No key stays in the page.
  dialog.addEventListener('close', () => form.reset());
  return () => dialog.showModal();
}

export const isRefused = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 401 || error.status === 403);
