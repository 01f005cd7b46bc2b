/**
 * Uploads a whole file, for a stream of its own or for one that is there, and shows how far it is processed.
 * What was sent stays on the server: after a reload the same file is chosen again, and the rest is sent.
 */

import { ApiError } from '../../lib/api/client.ts';
import type { FileView, StreamView } from '../../lib/api/messages.ts';
import { sendFile } from '../../lib/api/send-file.ts';
import { formatBytes } from '../shared/format-bytes.ts';
import { formatClock } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { text } from '../texts/text.ts';
import { dialogOf, onSubmit, showError, UserError } from './dialog.ts';
import { hasStream, ownerApi } from './owner-api.ts';
import { idFor } from './settings-choices.ts';

const PARALLEL = 3;
const POLL_MS = 1500;
/** The stream whose file is being sent. */
const KEPT = 'rivulet-upload';

export type UploadDialog = Readonly<{
  /** Left out: the file becomes a new stream. */
  open(stream?: StreamView): void;
  /** After a reload: opens for the stream whose upload was broken off, if it is among these. */
  resume(streams: readonly StreamView[]): void;
}>;

/** `changed`: the list is out of date. */
export function createUploadDialog(changed: () => void): UploadDialog {
  const dialog = dialogOf('#upload-dialog');
  const form = find(dialog, 'form', HTMLFormElement);
  const run = find(dialog, '.upload-run', HTMLElement);
  const chosen = find(form, '[name="file"]', HTMLInputElement);
  const title = find(form, '[name="title"]', HTMLInputElement);
  const stop = find(run, '.upload-stop', HTMLButtonElement);
  let current: StreamView | undefined;
  let sending: AbortController | undefined;
  /** What goes on with what was paused. */
  let goOn: (() => void) | undefined;
  let shownId = '';
  let isTitleChosen = false;
  /** The stream whose upload a reload has broken off. */
  let brokenOff = sessionStorage.getItem(KEPT);

  chosen.addEventListener('change', () => {
    const name = chosen.files?.[0]?.name.replace(/\.[^.]*$/, '') ?? '';
    if (!isTitleChosen) title.value = name;
  });
  title.addEventListener('input', () => {
    isTitleChosen = title.value !== '';
  });
  stop.addEventListener('click', () => {
    if (sending) sending.abort();
    else goOn?.();
  });
  window.addEventListener('beforeunload', (event) => {
    if (sending) event.preventDefault();
  });

  onSubmit(form, async (data) => {
    const file = chosen.files?.[0];
    if (!file) throw new UserError(text('upload.none'));
    const begun = current?.file;
    if (
      begun?.state === 'uploading' &&
      !(begun.name === file.name && begun.sizeBytes === file.size)
    ) {
      throw new UserError(
        text('upload.other', { name: begun.name, size: formatBytes(begun.sizeBytes) }),
      );
    }
    const videoId = current?.videoId ?? (await createStream(String(data.get('title'))));
    // Its answer comes by what is shown from now on.
    void upload(videoId, file);
  });

  async function createStream(name: string): Promise<string> {
    const api = ownerApi();
    const base = idFor(name) || 'file';
    let id = base;
    for (let count = 2; await hasStream(api, id); count += 1) id = `${base.slice(0, 58)}-${count}`;
    await api.putStream(id, { title: name, dvrWindowSeconds: null });
    return id;
  }

  async function upload(videoId: string, file: File): Promise<void> {
    const own = new AbortController();
    sending = own;
    goOn = undefined;
    sessionStorage.setItem(KEPT, videoId);
    showRun(videoId, file.name);
    stop.hidden = false;
    stop.textContent = text('upload.stop');
    const api = ownerApi();
    try {
      await sendFile(
        api,
        {
          ...{ videoId, name: file.name, sizeBytes: file.size },
          read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
        },
        {
          ...{ parallel: PARALLEL, signal: own.signal },
          call: (attempt) => untilItWorks(attempt, own.signal, () => say(text('upload.offline'))),
          onProgress: (stored) => {
            showProgress(stored / file.size);
            say(text('upload.sent', { sent: formatBytes(stored), size: formatBytes(file.size) }));
          },
        },
      );
      stop.hidden = true;
      sessionStorage.removeItem(KEPT);
    } catch (error) {
      if (own.signal.aborted) {
        goOn = () => void upload(videoId, file);
        stop.textContent = text('upload.goOn');
        say(text('upload.stopped'));
      } else {
        stop.hidden = true;
        sessionStorage.removeItem(KEPT);
        fail(error instanceof ApiError ? `${error.message} ${error.hint}` : String(error));
      }
      return;
    } finally {
      sending = undefined;
      changed();
    }
    await watchProcessing(videoId);
  }

  /** As long as the dialog shows it. */
  async function watchProcessing(videoId: string): Promise<void> {
    const api = ownerApi();
    while (dialog.open && shownId === videoId && !sending) {
      const view = await api.getState(videoId).catch(() => undefined);
      if (view?.file) showFile(view, view.file);
      if (view?.file?.failure || (view?.file?.state === 'done' && view.state === 'ended')) {
        changed();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  function showFile({ durationSeconds, state }: StreamView, file: FileView): void {
    if (file.failure) {
      fail(`${file.failure.message} ${file.failure.hint}`);
      return;
    }
    const whole = file.durationSeconds ?? 0;
    const isDone = file.state === 'done' && state === 'ended';
    find(run, '.upload-watch', HTMLElement).hidden = durationSeconds === 0;
    showProgress(isDone ? 1 : whole > 0 ? durationSeconds / whole : undefined);
    const notices = (file.notices ?? []).map(({ message }) => message).join(' ');
    const length = formatClock(durationSeconds);
    const processed =
      durationSeconds === 0 ? text('upload.cardProcessed') : text('upload.processed', { length });
    const said = isDone ? text('upload.done', { length }) : processed;
    say([said, notices].filter(Boolean).join(' '));
  }

  function showRun(videoId: string, name: string): void {
    shownId = videoId;
    form.hidden = true;
    run.hidden = false;
    find(run, '.form-error', HTMLElement).hidden = true;
    find(run, '.upload-file-name', HTMLElement).textContent = name;
    const watch = find(run, '.upload-watch', HTMLAnchorElement);
    watch.href = `${watchPath(videoId)}?t=0`;
    watch.hidden = true;
    find(run, 'progress', HTMLProgressElement).hidden = false;
    say('');
    showProgress(0);
    dialog.focus();
  }

  function showProgress(share: number | undefined): void {
    const bar = find(run, 'progress', HTMLProgressElement);
    if (share === undefined) bar.removeAttribute('value');
    else bar.value = Math.min(1, share);
  }

  function say(words: string): void {
    const place = find(run, '.upload-status', HTMLElement);
    if (place.textContent !== words) place.textContent = words;
  }

  function fail(words: string): void {
    const place = find(run, '.form-error', HTMLElement);
    place.hidden = false;
    place.textContent = words;
    find(run, 'progress', HTMLProgressElement).hidden = true;
    say('');
  }

  function open(stream?: StreamView): void {
    const isPaused = goOn !== undefined && stream?.videoId === shownId;
    if (!sending && !isPaused) {
      current = stream;
      const { file } = stream ?? {};
      form.reset();
      isTitleChosen = false;
      showError(form, undefined);
      const isBegun = file?.state === 'uploading';
      const note = find(form, '.upload-resume', HTMLElement);
      note.hidden = !isBegun;
      note.textContent = isBegun
        ? text('upload.resume', {
            name: file.name,
            share: Math.floor((100 * file.storedBytes) / file.sizeBytes),
          })
        : '';
      find(form, '.upload-name', HTMLElement).hidden = stream !== undefined;
      title.disabled = stream !== undefined;
      form.hidden = false;
      run.hidden = true;
      if (stream && file && (file.state === 'waiting' || file.state === 'processing')) {
        showRun(stream.videoId, file.name);
        stop.hidden = true;
        void Promise.resolve().then(() => watchProcessing(stream.videoId));
      }
    }
    dialog.showModal();
  }

  return {
    open,
    resume(streams) {
      if (brokenOff === null || sending || dialog.open) return;
      const stream = streams.find(({ videoId }) => videoId === brokenOff);
      if (!stream) return;
      brokenOff = null;
      sessionStorage.removeItem(KEPT);
      if (stream.file?.state !== 'done') open(stream);
    },
  };
}

/** A line that is gone comes back: only what the server refuses is an error. */
async function untilItWorks<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  waiting: () => void,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await attempt(signal);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.retryable) throw error;
      waiting();
      const waitMs = error.retryAfterMs ?? Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
      await new Promise<void>((resolve) => {
        setTimeout(resolve, waitMs);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 10_000;
