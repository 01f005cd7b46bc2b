/** The panel in which a viewer marks a clip, watches it, and shares or saves it. */

import type { StreamView } from '../../../lib/api/messages.ts';
import { connectCopyButton } from '../../shared/copy-button.ts';
import { formatPreciseTimeOfDay } from '../../shared/format-time.ts';
import { readOwnerKey } from '../../shared/owner-key.ts';
import { find } from '../../shared/page-elements.ts';
import { watchPath } from '../../shared/route.ts';
import { keepClip } from '../../shared/stream-api.ts';
import { text } from '../../texts/text.ts';
import type { Timeline } from '../marker-panel.ts';
import { embedCode } from '../moment.ts';
import {
  type ClipLink,
  type ClipMarks,
  clipFile,
  clipLinkOf,
  clipPage,
  formatPrecise,
  rangeOf,
  withMark,
} from './clip-range.ts';
import { saveFile } from './save-file.ts';
import { INTO_FRAME_SECONDS, type SpanPlayer } from './span-player.ts';

export type ClipPanel = Readonly<{
  /** The stream, and where playback is. */
  follow(stream: StreamView | undefined, timeline: Timeline): void;
  mark(marks: ClipMarks): void;
  disconnect(): void;
}>;

export type ClipPlayback = Readonly<{
  player: SpanPlayer;
  frameSeconds(): number;
  instantOf(position: number): number | undefined;
}>;

/** What a first look at the panel proposes: what has just been seen. */
const PROPOSED_SECONDS = 15;

export function connectClipPanel(
  view: HTMLElement,
  video: HTMLVideoElement,
  videoId: string,
  { player, frameSeconds, instantOf }: ClipPlayback,
): ClipPanel {
  const panel = find(view, '.clip-panel', HTMLElement);
  const opener = find(view, '.clip-button', HTMLButtonElement);
  const range = find(view, '.clip-range', HTMLElement);
  const quality = find(panel, '.clip-quality', HTMLSelectElement);
  const status = find(panel, '.clip-status', HTMLElement);
  const progress = find(panel, 'progress', HTMLProgressElement);
  const keep = find(panel, '.clip-keep', HTMLButtonElement);
  const download = find(panel, '.clip-download', HTMLButtonElement);
  const ending = new AbortController();
  let marks: ClipMarks = {};
  let stream: StreamView | undefined;
  let timeline: Timeline | undefined;

  const rowOf = (mark: 'fromMs' | 'toMs'): HTMLElement =>
    find(panel, mark === 'fromMs' ? '.clip-in' : '.clip-out', HTMLElement);
  const link = (): ClipLink | undefined => {
    const marked = rangeOf(marks);
    return marked && clipLinkOf(marked);
  };
  const on = (selector: string, act: () => unknown): void =>
    find(panel, selector, HTMLButtonElement).addEventListener('click', act);

  function open(): void {
    panel.hidden = false;
    opener.setAttribute('aria-expanded', 'true');
    keep.hidden = readOwnerKey() === undefined;
  }

  /** The frame on the screen is the first of the clip, or its last. */
  function setMark(mark: 'fromMs' | 'toMs'): void {
    const shownAt = player.clock.shownAt() + INTO_FRAME_SECONDS;
    const instantMs = instantOf(shownAt);
    if (instantMs === undefined) return;
    const frameMs = instantMs - 1000 * INTO_FRAME_SECONDS;
    open();
    change(withMark(marks, mark, mark === 'fromMs' ? frameMs : frameMs + 1000 * frameSeconds()));
  }

  function step(mark: 'fromMs' | 'toMs', frames: number): void {
    const atMs = marks[mark];
    if (atMs === undefined) return;
    change(withMark(marks, mark, atMs + 1000 * frames * frameSeconds()));
    const shownMs = (marks[mark] ?? atMs) - (mark === 'toMs' ? 1000 * frameSeconds() : 0);
    const position = timeline?.positionOf(shownMs + 1000 * INTO_FRAME_SECONDS);
    if (position === undefined) return;
    video.pause();
    video.currentTime = position;
  }

  function propose(): void {
    const nowMs = instantOf(player.clock.shownAt() + INTO_FRAME_SECONDS);
    if (nowMs === undefined || !timeline || marks.fromMs !== undefined) return;
    const earliest = instantOf(timeline.start + INTO_FRAME_SECONDS) ?? nowMs;
    const fromMs = Math.max(earliest, nowMs - 1000 * PROPOSED_SECONDS);
    if (fromMs < nowMs) change({ fromMs, toMs: nowMs });
  }

  function change(next: ClipMarks): void {
    marks = next;
    const marked = rangeOf(marks);
    const shared = link();
    const page = new URL(watchPath(videoId), location.origin).href;
    const embed = `/embed/${encodeURIComponent(videoId)}`;
    fill('.clip-link', shared ? clipPage(page, shared) : '');
    const code = embedCode(location.origin, videoId, stream?.title ?? videoId);
    fill('.clip-embed', shared ? code.replace(embed, clipPage(embed, shared)) : '');
    for (const button of panel.querySelectorAll<HTMLButtonElement>('.needs-clip')) {
      button.disabled = !marked;
    }
    say(
      marked
        ? text('clip.length', { length: formatPrecise((marked.toMs - marked.fromMs) / 1000) })
        : text('clip.hint'),
    );
    place();
  }

  function fill(selector: string, value: string): void {
    find(panel, `${selector} input`, HTMLInputElement).value = value;
  }

  /** Where the marks are on the timeline, which moves while a stream is live. */
  function place(): void {
    for (const mark of ['fromMs', 'toMs'] as const) {
      const atMs = marks[mark];
      const position = atMs === undefined ? undefined : timeline?.positionOf(atMs);
      const said =
        atMs === undefined
          ? '–'
          : timeline?.live === false && position !== undefined
            ? formatPrecise(position - timeline.start)
            : formatPreciseTimeOfDay(atMs);
      const output = find(rowOf(mark), 'output', HTMLOutputElement);
      if (output.value !== said) output.value = said;
      for (const button of rowOf(mark).querySelectorAll<HTMLButtonElement>('.clip-step')) {
        button.disabled = atMs === undefined;
      }
    }
    const marked = rangeOf(marks);
    const start = marked && timeline?.positionOf(marked.fromMs);
    range.hidden = !timeline || start === undefined;
    if (!timeline || !marked || start === undefined) return;
    const end = timeline.positionOf(marked.toMs) ?? timeline.end;
    const length = Math.max(0.001, timeline.end - timeline.start);
    range.style.insetInlineStart = `${(100 * (start - timeline.start)) / length}%`;
    range.style.width = `${(100 * (end - start)) / length}%`;
  }

  function say(message: string): void {
    if (status.textContent !== message) status.textContent = message;
  }

  async function save(clip: ClipLink | undefined, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    progress.hidden = false;
    progress.value = 0;
    const showProgress = (share: number): void => {
      progress.value = share;
      say(text('clip.making', { percent: Math.round(100 * share) }));
    };
    showProgress(0);
    try {
      const name = `${stream?.title ?? videoId}.mp4`;
      const path = clipFile(videoId, clip, quality.value);
      await saveFile(path, name, showProgress, ending.signal);
      say(text('clip.made'));
    } catch (error) {
      if (ending.signal.aborted) return;
      say(text('clip.failed', { reason: error instanceof Error ? error.message : String(error) }));
    } finally {
      progress.hidden = true;
      button.disabled = false;
    }
  }

  opener.addEventListener('click', () => {
    if (panel.hidden) {
      open();
      propose();
    } else {
      panel.hidden = true;
      opener.setAttribute('aria-expanded', 'false');
    }
  });
  for (const [mark, selector] of [
    ['fromMs', '.clip-in'],
    ['toMs', '.clip-out'],
  ] as const) {
    on(`${selector} .clip-set`, () => setMark(mark));
    on(`${selector} .clip-earlier`, () => step(mark, -1));
    on(`${selector} .clip-later`, () => step(mark, 1));
  }
  on('.clip-preview', () => {
    const marked = rangeOf(marks);
    const start = marked && timeline?.positionOf(marked.fromMs);
    if (!timeline || !marked || start === undefined) return;
    player.play({ start, end: timeline.positionOf(marked.toMs) ?? timeline.end });
  });
  on('.clip-save', () => save(link(), find(panel, '.clip-save', HTMLButtonElement)));
  on('.clip-download', () => save(undefined, download));
  on('.clip-keep', async () => {
    const clip = link();
    if (!clip) return;
    const failure = await keepClip(videoId, clip, readOwnerKey(), ending.signal);
    say(failure === undefined ? text('clip.kept') : text('clip.failed', { reason: failure }));
  });
  for (const row of panel.querySelectorAll<HTMLElement>('.share-row')) {
    const input = find(row, 'input', HTMLInputElement);
    input.addEventListener('focus', () => input.select());
    connectCopyButton(find(row, 'button', HTMLButtonElement), input);
  }
  document.addEventListener(
    'keydown',
    ({ key, ctrlKey, metaKey, altKey, target }) => {
      const isTyping = target instanceof Element && target.matches('input, select, textarea');
      if (ctrlKey || metaKey || altKey || isTyping || document.querySelector('dialog[open]'))
        return;
      if (key === 'i' || key === 'I') setMark('fromMs');
      if (key === 'o' || key === 'O') setMark('toMs');
    },
    { signal: ending.signal },
  );
  change({});

  return {
    follow(next, at) {
      if (next !== stream) {
        stream = next;
        const rungs = next?.renditions.filter(({ kind }) => kind === 'video') ?? [];
        const names = rungs
          .toSorted((a, b) => (b.heightPx ?? 0) - (a.heightPx ?? 0))
          .map(({ name }) => name);
        // Keeps the choice while nothing has changed.
        if ([...quality.options].map(({ value }) => value).join() !== names.join()) {
          quality.replaceChildren(...names.map((name) => new Option(name)));
        }
        quality.hidden = names.length === 0;
        download.hidden = next?.state !== 'ended';
      }
      timeline = at;
      place();
    },
    mark: change,
    disconnect: () => ending.abort(),
  };
}
