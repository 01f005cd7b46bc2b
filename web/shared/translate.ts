/** Puts the texts of the viewer's language into the document. */

import { currentLanguage, setLanguage, type TextKey, text } from '../texts/text.ts';

/** For all texts from now on, and for those of the document, which names them by `data-text…`. */
export function useLanguage(wanted: readonly string[]): void {
  setLanguage(wanted);
  document.documentElement.lang = currentLanguage();
  translate(document);
  for (const { content } of document.querySelectorAll('template')) translate(content);
}

/** Attributes that a text may stand in: `data-text` is the content, `data-text-placeholder` that attribute. */
const TRANSLATED_ATTRIBUTES = ['aria-label', 'placeholder', 'title'] as const;

function translate(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = text(element.dataset.text as TextKey);
  }
  for (const attribute of TRANSLATED_ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[data-text-${attribute}]`)) {
      const key = element.getAttribute(`data-text-${attribute}`) as TextKey;
      element.setAttribute(attribute, text(key));
    }
  }
}
