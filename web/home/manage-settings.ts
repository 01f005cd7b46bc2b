/** The settings of a stream that is there. */

import type { StreamView } from '../../lib/api/messages.ts';
import { ANYWHERE } from '../../lib/domain/languages/region-default.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import { onSubmit, showError } from './dialog.ts';
import { ownerApi } from './owner-api.ts';
import {
  audioChoices,
  captionChoices,
  changesOf,
  clippedChoices,
  dvrChoices,
  formOf,
  idleChoices,
  type LanguageDefaults,
  ladderChoices,
  markedChoices,
  retentionChoices,
  type SettingsForm,
  targetChoices,
  webmChoices,
} from './settings-choices.ts';
import { addSettingsFields, fillChoices, fillFields, readFields } from './settings-form.ts';

export function createSettingsSection(
  dialog: HTMLElement,
  stream: () => StreamView,
  changed: () => void,
): Readonly<{ show(): void }> {
  const form = find(dialog, 'form.settings', HTMLFormElement);
  const said = find(form, '.settings-said', HTMLElement);
  addSettingsFields(form);
  find(form, '[name="videoId"]', HTMLInputElement).closest('.field')?.remove();
  find(form, 'details', HTMLDetailsElement).open = true;
  let before: SettingsForm = {};
  let defaults: LanguageDefaults = {};
  let loads = 0;

  async function load(): Promise<void> {
    const { videoId } = stream();
    form.inert = true;
    loads += 1;
    const mine = loads;
    const { settings, state, renditions, captions = [] } = await ownerApi().getStream(videoId);
    // The dialog was opened for another stream meanwhile.
    if (mine !== loads) return;
    fillChoices(form, 'ladder', ladderChoices(settings.ladder));
    fillChoices(form, 'dvrWindow', dvrChoices(settings.dvrWindowSeconds));
    fillChoices(form, 'idleTimeout', idleChoices(settings.idleTimeoutSeconds));
    fillChoices(form, 'retention', retentionChoices(settings.retention));
    fillChoices(form, 'marked', markedChoices(settings.retention));
    fillChoices(form, 'clipped', clippedChoices(settings.retention));
    fillChoices(form, 'targetDuration', targetChoices(settings.targetDurationSeconds));
    const languages = renditions.flatMap(({ language }) => language ?? []);
    defaults = settings;
    const { defaultAudio, defaultCaptions } = settings;
    fillChoices(form, 'defaultAudio', audioChoices(languages, defaultAudio?.[ANYWHERE]));
    const written = captions.flatMap(({ language, isForced }) =>
      isForced ? [] : (language ?? []),
    );
    fillChoices(form, 'defaultCaptions', captionChoices(written, defaultCaptions?.[ANYWHERE]));
    fillChoices(form, 'webm', webmChoices());
    before = formOf(settings);
    fillFields(form, before);
    find(form, '[name="targetDuration"]', HTMLSelectElement).disabled = state !== 'created';
    form.inert = false;
  }

  onSubmit(form, async (data) => {
    said.textContent = '';
    const change = changesOf(before, readFields(data), defaults);
    if (Object.keys(change).length === 0) {
      said.textContent = text('setting.nothingChanged');
      return;
    }
    await ownerApi().putStream(stream().videoId, change);
    await load();
    said.textContent = text('setting.saved');
    changed();
  });

  return {
    show() {
      said.textContent = '';
      showError(form, undefined);
      load().catch((error: unknown) => showError(form, error));
    },
  };
}
