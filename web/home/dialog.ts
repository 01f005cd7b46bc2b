/** What the dialogs have in common: opening, closing, calls with their errors, and copying. */

import { ApiError } from '../../lib/api/client.ts';
import { connectCopyButton } from '../shared/copy-button.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';

/** By its buttons marked `data-close`; Escape is the browser's. */
export function dialogOf(selector: string): HTMLDialogElement {
  const dialog = find(document, selector, HTMLDialogElement);
  for (const button of dialog.querySelectorAll('[data-close]')) {
    button.addEventListener('click', () => dialog.close());
  }
  return dialog;
}

/** Calls `act` when the form is submitted, once at a time; what it throws is shown in the form. */
export function onSubmit(form: HTMLFormElement, act: (data: FormData) => Promise<void>): void {
  let isBusy = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    form.setAttribute('aria-busy', 'true');
    showError(form, undefined);
    try {
      await act(new FormData(form));
    } catch (error) {
      showError(form, error);
    } finally {
      isBusy = false;
      form.removeAttribute('aria-busy');
    }
  });
}

/** undefined: takes the last one away. */
export function showError(form: HTMLFormElement, error: unknown): void {
  const place = find(form, '.form-error', HTMLElement);
  place.hidden = error === undefined;
  place.textContent = error === undefined ? '' : reasonOf(error);
}

export function reasonOf(error: unknown): string {
  if (error instanceof ApiError) return [error.message, error.hint].filter(Boolean).join(' ');
  return error instanceof UserError
    ? error.message
    : text('home.failed', { reason: String(error) });
}

/** Of the page itself, in the viewer's language. */
export class UserError extends Error {}

/** Buttons marked `data-copy` copy the text of the element that they name. */
export function connectCopyButtons(root: HTMLElement): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
    connectCopyButton(button, find(root, button.dataset.copy ?? '', HTMLElement));
  }
}
