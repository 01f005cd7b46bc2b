/** The upload key of a stream, and the commands that send to it. */

import type { StreamView } from '../../lib/api/messages.ts';
import { find } from '../shared/page-elements.ts';
import { onSubmit, showError } from './dialog.ts';
import { ownerApi } from './owner-api.ts';
import { pushCommands } from './push-commands.ts';

export type PushSection = Readonly<{
  show(uploadKey: string | undefined): void;
  hideKey(): void;
}>;

export function createPushSection(
  dialog: HTMLElement,
  stream: () => StreamView,
  changed: () => void,
): PushSection {
  const section = find(dialog, '.push', HTMLElement);
  const rotate = find(section, '.rotate', HTMLFormElement);
  const open = find(section, '.rotate-open', HTMLButtonElement);
  const confirm = (isAsked: boolean): void => {
    rotate.hidden = !isAsked;
    open.hidden = isAsked;
    showError(rotate, undefined);
  };
  open.addEventListener('click', () => {
    confirm(true);
    find(rotate, '[type="submit"]', HTMLButtonElement).focus();
  });
  find(rotate, '[data-cancel]', HTMLButtonElement).addEventListener('click', () => {
    confirm(false);
    open.focus();
  });
  onSubmit(rotate, async () => {
    const { uploadKey } = await ownerApi().putStream(stream().videoId, { newUploadKey: true });
    show(uploadKey);
    find(section, '[data-copy=".upload-key"]', HTMLButtonElement).focus();
    changed();
  });
  for (const choice of section.querySelectorAll<HTMLInputElement>('[name="how"]')) {
    choice.addEventListener('change', () => {
      for (const way of section.querySelectorAll<HTMLElement>('.how')) {
        way.hidden = way.dataset.how !== choice.value;
      }
    });
  }

  function show(uploadKey: string | undefined): void {
    const say = (selector: string, words: string): void => {
      find(section, selector, HTMLElement).textContent = words;
    };
    const { videoId } = stream();
    const { origin } = location;
    const { ffmpeg, encoder, obsUrl, obsMuxer, studio } = pushCommands({
      ...{ origin, videoId, uploadKey },
    });
    say('.push-ffmpeg', ffmpeg);
    say('.push-encoder', encoder);
    say('.push-obs-url', obsUrl);
    say('.push-obs-muxer', obsMuxer);
    say('.push-studio', studio);
    find(section, '.open-studio', HTMLAnchorElement).href = studio;
    say('.upload-key', uploadKey ?? '');
    const isShown = uploadKey !== undefined;
    for (const shown of ['.key-line', '.key-once']) {
      find(section, shown, HTMLElement).hidden = !isShown;
    }
    for (const hidden of ['.key-hidden', '.fill-key']) {
      find(section, hidden, HTMLElement).hidden = isShown;
    }
    confirm(false);
  }

  return {
    show,
    hideKey: () => {
      for (const place of section.querySelectorAll('code, pre')) place.textContent = '';
      find(section, '.open-studio', HTMLAnchorElement).href = '/';
    },
  };
}
