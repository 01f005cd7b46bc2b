/** One stream in the list. */

import type { StreamView } from '../../lib/api/messages.ts';
import { formatBytes } from '../shared/format-bytes.ts';
import { formatClock } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { watchPath } from '../shared/route.ts';
import { badgeOf, isFileOnly, summaryOf, troubleOf } from '../shared/stream-summary.ts';
import { supplyOf } from '../shared/supply.ts';
import { text } from '../texts/text.ts';

/** Writes only what has changed, as it is called every few seconds. */
export function fillCard(card: HTMLElement, stream: StreamView, nowMs: number): void {
  const supply = supplyOf(stream);
  const file = fileFacts(stream);
  const badge = badgeOf(stream.state, supply, stream.file);
  card.dataset.videoId = stream.videoId;
  card.dataset.tone = badge.tone;
  find(card, '.card-link', HTMLAnchorElement).href = watchPath(stream.videoId);
  find(card, '.card-badge', HTMLElement).dataset.tone = badge.tone;
  say(card, '.card-badge', badge.text);
  say(card, '.card-title', stream.title);
  const trouble = troubleOf(supply, Date.parse(stream.serverTime ?? ''));
  const facts = isFileOnly(stream) ? [file] : [file || trouble, summaryOf(stream, nowMs)];
  say(card, '.card-facts', facts.filter(Boolean).join(' · '));
  say(card, '.card-length', isFileOnly(stream) ? '' : lengthOf(stream, nowMs));
  const { viewers = 0, storageBytes } = stream;
  say(card, '.card-viewers', viewers > 0 ? text('home.viewers', { count: viewers }) : '');
  showPoster(card, stream.poster);
  find(card, '.card-owner', HTMLElement).hidden = storageBytes === undefined;
  say(card, '.card-storage', storageBytes === undefined ? '' : formatBytes(storageBytes));
  const manage = find(card, '.card-manage', HTMLButtonElement);
  manage.setAttribute('aria-label', text('home.manageStream', { title: stream.title }));
}

/** Of a whole file until it is processed; empty: there is none on its way. */
export function fileFacts({ file }: StreamView): string {
  if (!file || file.state === 'done') return '';
  if (file.state === 'failed') return text('upload.cardFailed');
  if (file.state !== 'uploading') return text('upload.cardProcessed');
  const share = Math.floor((100 * file.storedBytes) / file.sizeBytes);
  return text('upload.cardSent', { share });
}

/** Of a live stream how long it is on. */
function lengthOf({ state, startedAt, durationSeconds }: StreamView, nowMs: number): string {
  if (state === 'ended') return formatClock(durationSeconds);
  return state === 'live' && startedAt !== undefined
    ? formatClock((nowMs - Date.parse(startedAt)) / 1000)
    : '';
}

function say(card: HTMLElement, selector: string, words: string): void {
  const place = find(card, selector, HTMLElement);
  if (place.textContent !== words) place.textContent = words;
  place.hidden = words === '';
}

/** The old picture stays until the new one is there; one that cannot be loaded is left out. */
function showPoster(card: HTMLElement, path: string | undefined): void {
  const image = find(card, '.card-poster', HTMLImageElement);
  if ((image.dataset.path ?? '') === (path ?? '')) return;
  image.dataset.path = path ?? '';
  if (path === undefined) {
    image.hidden = true;
    return;
  }
  const next = new Image();
  next.addEventListener('load', () => {
    if (image.dataset.path !== path) return;
    image.src = path;
    image.hidden = false;
  });
  next.src = path;
}
