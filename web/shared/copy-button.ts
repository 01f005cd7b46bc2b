/** Buttons that copy a text which is on the page. */

import { text } from '../texts/text.ts';

const COPIED_MS = 2500;

/** Says on the button for a moment that it has copied the text of `source`, or that only the viewer can. */
export function connectCopyButton(button: HTMLButtonElement, source: HTMLElement): void {
  const label = button.textContent;
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', async () => {
    button.textContent = text((await copy(source)) ? 'copy.done' : 'copy.byHand');
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = label;
    }, COPIED_MS);
  });
}

/** Where the clipboard is out of reach, as on a page without TLS, the text is selected. */
async function copy(source: HTMLElement): Promise<boolean> {
  const isField = source instanceof HTMLInputElement;
  try {
    await navigator.clipboard.writeText(isField ? source.value : (source.textContent ?? ''));
    return true;
  } catch {
    if (isField) source.select();
    else getSelection()?.selectAllChildren(source);
    return document.execCommand('copy');
  }
}
