/** The fields of a stream's settings, in the forms that create it and change it. */

import { find, instantiate } from '../shared/page-elements.ts';
import type { Choice, SettingsForm } from './settings-choices.ts';

let forms = 0;

/** Puts the fields into the form, each with its label and its explanation. */
export function addSettingsFields(form: HTMLFormElement): void {
  const fields = instantiate('settings-fields');
  forms += 1;
  for (const field of fields.querySelectorAll('.field')) {
    const control = field.querySelector<HTMLInputElement | HTMLSelectElement>('input, select');
    if (!control) continue;
    control.id = `setting-${forms}-${control.name}`;
    const help = find(field, '.help', HTMLElement);
    help.id = `${control.id}-help`;
    control.setAttribute('aria-describedby', help.id);
    find(field, 'label', HTMLLabelElement).htmlFor = control.id;
  }
  find(form, '.fields', HTMLElement).replaceChildren(fields);
}

export function fillChoices(form: HTMLFormElement, name: string, choices: readonly Choice[]): void {
  const options = choices.map(({ value, label }) => new Option(label, value));
  find(form, `select[name="${name}"]`, HTMLSelectElement).replaceChildren(...options);
}

export function fillFields(form: HTMLFormElement, values: SettingsForm): void {
  for (const control of form.elements) {
    if (control instanceof HTMLInputElement && control.type === 'checkbox') {
      control.checked = values[control.name] === 'on';
    } else if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement) {
      control.value = values[control.name] ?? '';
    }
  }
}

export const readFields = (data: FormData): SettingsForm =>
  Object.fromEntries([...data].map(([name, value]) => [name, String(value).trim()]));
