/** Creates a stream. */

import type { StreamCreated } from '../../lib/api/messages.ts';
import { DEFAULT_LADDER } from '../../lib/domain/ladder.ts';
import { defaultSettings } from '../../lib/domain/stream.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import { dialogOf, onSubmit, showError, UserError } from './dialog.ts';
import { hasStream, ownerApi } from './owner-api.ts';
import {
  changesOf,
  clippedChoices,
  dvrChoices,
  formOf,
  idFor,
  idleChoices,
  ladderChoices,
  markedChoices,
  retentionChoices,
  targetChoices,
} from './settings-choices.ts';
import { addSettingsFields, fillChoices, fillFields, readFields } from './settings-form.ts';

/** Returns what opens it. */
export function createCreateDialog(created: (stream: StreamCreated) => void): () => void {
  const dialog = dialogOf('#create-dialog');
  const form = find(dialog, 'form', HTMLFormElement);
  addSettingsFields(form);
  // It is not known yet which languages there will be, and whether anybody needs WebM.
  for (const name of ['defaultAudio', 'defaultCaptions', 'webm']) {
    find(form, `[name="${name}"]`, HTMLSelectElement).closest('.field')?.remove();
  }
  const title = find(form, '[name="title"]', HTMLInputElement);
  const videoId = find(form, '[name="videoId"]', HTMLInputElement);
  let isIdChosen = false;
  title.addEventListener('input', () => {
    if (!isIdChosen) videoId.value = idFor(title.value);
  });
  videoId.addEventListener('input', () => {
    isIdChosen = videoId.value !== '';
  });

  onSubmit(form, async (data) => {
    const { videoId: id = '', ...fields } = readFields(data);
    const api = ownerApi();
    // PUT would change it.
    if (await hasStream(api, id)) throw new UserError(text('create.exists'));
    const stream = await api.putStream(id, changesOf({}, fields));
    dialog.close();
    created(stream);
  });

  return () => {
    const { dvrWindowSeconds, idleTimeoutSeconds, retention: _, ...settings } = defaultSettings('');
    fillChoices(form, 'ladder', ladderChoices(DEFAULT_LADDER));
    fillChoices(form, 'dvrWindow', dvrChoices(dvrWindowSeconds));
    fillChoices(form, 'idleTimeout', idleChoices(idleTimeoutSeconds));
    fillChoices(form, 'retention', retentionChoices(undefined));
    fillChoices(form, 'marked', markedChoices(undefined));
    fillChoices(form, 'clipped', clippedChoices(undefined));
    fillChoices(form, 'targetDuration', targetChoices(undefined));
    fillFields(form, formOf({ ...settings, dvrWindowSeconds, idleTimeoutSeconds }));
    isIdChosen = false;
    showError(form, undefined);
    find(form, 'details', HTMLDetailsElement).open = false;
    dialog.showModal();
    title.focus();
  };
}
