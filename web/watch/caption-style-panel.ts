/** The dialog in which a viewer says how captions look. */

import { find } from '../shared/page-elements.ts';
import {
  type CaptionStyle,
  declarationsOf,
  readCaptionStyle,
  STYLE_PARTS,
} from './caption-style.ts';

export type CaptionStylePanel = Readonly<{ open(): void; disconnect(): void }>;

/** Shows `style` at once. */
export function createCaptionStylePanel(
  view: HTMLElement,
  style: CaptionStyle,
  onChange: (style: CaptionStyle) => void,
): CaptionStylePanel {
  const dialog = find(view, '.caption-style', HTMLDialogElement);
  const form = find(view, '.caption-style-form', HTMLFormElement);
  // Cues are drawn by the browser, and only a style sheet reaches them; the CSP allows no inline ones.
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

  fill(style);
  show(style);
  form.addEventListener('change', () => changeTo(readCaptionStyle(valuesOf(form))));
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    fill({});
    changeTo({});
  });

  return {
    open: () => dialog.showModal(),
    disconnect() {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    },
  };

  function selectOf(part: string): HTMLSelectElement {
    return find(form, `[name="${part}"]`, HTMLSelectElement);
  }

  function fill(values: CaptionStyle): void {
    for (const part of STYLE_PARTS) selectOf(part).value = values[part] ?? '';
  }

  function changeTo(next: CaptionStyle): void {
    show(next);
    onChange(next);
  }

  function show(next: CaptionStyle): void {
    const declarations = declarationsOf(next);
    sheet.replaceSync(
      declarations === ''
        ? ''
        : `.player video::cue, .caption-sample span { ${declarations.replaceAll(';', ' !important;')} }`,
    );
  }
}

const valuesOf = (form: HTMLFormElement): Record<string, unknown> =>
  Object.fromEntries(new FormData(form));
