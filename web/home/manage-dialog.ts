/** All that an owner does with one stream. */

import type { StreamView } from '../../lib/api/messages.ts';
import { formatBytes } from '../shared/format-bytes.ts';
import { formatClock, formatDay } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { badgeOf } from '../shared/stream-summary.ts';
import { supplyOf } from '../shared/supply.ts';
import { connectCopyButtons, dialogOf } from './dialog.ts';
import { createClipsSection } from './manage-clips.ts';
import { connectEndAndDelete } from './manage-end.ts';
import { createPushSection } from './manage-push.ts';
import { createSettingsSection } from './manage-settings.ts';
import { fileFacts } from './stream-card.ts';
import { healthOf } from './stream-health.ts';

export type ManageDialog = Readonly<{
  /** `uploadKey`: of a stream that was just created. */
  open(stream: StreamView, uploadKey?: string): void;
  /** What the server says of all streams now. */
  refresh(streams: readonly StreamView[]): void;
}>;

/** `changed`: the list is out of date. `uploadFile`: to this stream. */
export function createManageDialog(
  changed: () => void,
  uploadFile: (stream: StreamView) => void,
): ManageDialog {
  const dialog = dialogOf('#manage-dialog');
  let current: StreamView | undefined;
  const stream = (): StreamView => {
    if (!current) throw new Error('The dialog is closed.');
    return current;
  };
  const push = createPushSection(dialog, stream, changed);
  const settings = createSettingsSection(dialog, stream, changed);
  const clips = createClipsSection(dialog, stream);
  const end = connectEndAndDelete(dialog, stream, changed);
  connectCopyButtons(dialog);
  find(dialog, '.upload-here', HTMLButtonElement).addEventListener('click', () =>
    uploadFile(stream()),
  );
  dialog.addEventListener('close', () => {
    current = undefined;
    push.hideKey();
  });

  function show(view: StreamView): void {
    current = view;
    showHealth(dialog, view);
    end.show(view);
  }

  return {
    open(view, uploadKey) {
      show(view);
      push.show(uploadKey);
      settings.show();
      end.reset();
      clips.reset();
      for (const section of dialog.querySelectorAll('details')) {
        if (section.matches('.section')) section.open = false;
      }
      dialog.showModal();
    },
    refresh(streams) {
      if (!current) return;
      const { videoId } = current;
      const view = streams.find((one) => one.videoId === videoId);
      // A list that does not have it yet, or no longer, takes no key from the screen.
      if (view) show(view);
    },
  };
}

function showHealth(dialog: HTMLElement, view: StreamView): void {
  const say = (selector: string, words: string, tone = 'none'): void => {
    const place = find(dialog, selector, HTMLElement);
    place.textContent = words;
    place.dataset.tone = tone;
  };
  const { text: label, tone } = badgeOf(view.state, supplyOf(view), view.file);
  say('#manage-title', view.title);
  say('.manage-name .badge', label, tone);
  find(dialog, '.manage-watch', HTMLAnchorElement).href = watchPath(view.videoId);
  const { signal, backlog, worker } = healthOf(view);
  say('.health-signal', signal.says, signal.tone);
  say('.health-backlog', backlog.says, backlog.tone);
  say('.health-worker', worker.says, worker.tone);
  find(dialog, '.health-viewers', HTMLElement).hidden = view.viewers === undefined;
  say('.health-viewers dd', String(view.viewers ?? ''));
  say('.health-length dd', formatClock(view.durationSeconds));
  find(dialog, '.health-since', HTMLElement).hidden = view.recordedSince === undefined;
  say('.health-since dd', view.recordedSince ? formatDay(Date.parse(view.recordedSince)) : '');
  const { file } = view;
  find(dialog, '.health-file', HTMLElement).hidden = !file;
  const failure = file?.failure && `${file.failure.message} ${file.failure.hint}`;
  say('.health-file dd', failure ?? (fileFacts(view) || (file?.name ?? '')), failure && 'bad');
  say('.health-storage dd', formatBytes(view.storageBytes ?? 0));
}
