/** The wall: its tiles, their grid, and the clock that all of them follow. */

import { formatTimeOfDay } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import { gridOf } from './grid.ts';
import {
  advance,
  LIVE_CLOCK,
  moveTo,
  pauseClock,
  resumeClock,
  targetOf,
  type WallClock,
} from './step-keeping.ts';
import { Tile } from './tile.ts';
import {
  coverageOf,
  instantAtOffset,
  lengthMs,
  nextCovered,
  offsetOfInstant,
  type Span,
} from './wall-timeline.ts';

const TICK_MS = 250;
const TOLD_MS = 6000;
/** One press of an arrow key on the slider. */
const KEY_MS = 5000;
const GAP_PX = 4;
/** Tiles just outside of the view are ready when they come into it. */
const NEAR_VIEW = '80px';

export type WallPage = Readonly<{
  /** The tiles of these streams, in this order. Those that are there go on undisturbed. */
  show(videoIds: readonly string[]): void;
  tell(words: string): void;
}>;

export function createWallPage(page: HTMLElement): WallPage {
  const grid = find(page, '.wall-grid', HTMLElement);
  const slider = find(page, '.wall-time', HTMLInputElement);
  const time = find(page, '.wall-clock', HTMLElement);
  const play = find(page, '.wall-play', HTMLButtonElement);
  const liveButton = find(page, '.wall-live', HTMLButtonElement);
  const status = find(page, '.wall-status', HTMLElement);
  const tiles = new Map<string, Tile>();
  const inView = new Set<Element>();
  let clock: WallClock = LIVE_CLOCK;
  let coverage: readonly Span[] = [];
  let tickedMs = performance.now();
  let isDragging = false;
  /** The viewer has moved or paused the clock; before that it goes where the streams are. */
  let isMoved = false;
  /** As they were last known: between two playlists none may be. */
  let liveDelaysMs: readonly number[] = [];
  let clearing: ReturnType<typeof setTimeout> | undefined;

  const now = (): number => Date.now();

  function layOut(): void {
    const { clientWidth, clientHeight } = grid;
    const isEnlarged = [...tiles.values()].some((tile) => tile.isEnlarged);
    const count = isEnlarged ? 1 : Math.max(1, tiles.size);
    const { columns, tileWidthPx, tileHeightPx } = gridOf(count, clientWidth, clientHeight, GAP_PX);
    grid.style.setProperty('--columns', String(columns));
    grid.style.setProperty('--tile-width', `${tileWidthPx}px`);
    grid.style.setProperty('--tile-height', `${tileHeightPx}px`);
    grid.style.setProperty('--gap', `${GAP_PX}px`);
    grid.toggleAttribute('data-enlarged', isEnlarged);
  }

  function showInView(): void {
    for (const tile of tiles.values()) {
      tile.show(inView.has(tile.element) && !document.hidden);
    }
  }

  const watching = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) inView.add(target);
        else inView.delete(target);
      }
      showInView();
    },
    { root: grid, rootMargin: NEAR_VIEW },
  );

  function tell(words: string): void {
    status.textContent = words;
    clearTimeout(clearing);
    clearing = setTimeout(() => status.replaceChildren(), TOLD_MS);
  }

  function enlarge(wanted: Tile | undefined): void {
    for (const tile of tiles.values()) tile.enlarge(tile === wanted && !tile.isEnlarged);
    layOut();
  }

  function show(videoIds: readonly string[]): void {
    for (const [videoId, tile] of tiles) {
      if (videoIds.includes(videoId)) continue;
      watching.unobserve(tile.element);
      inView.delete(tile.element);
      tile.remove();
      tiles.delete(videoId);
    }
    for (const videoId of videoIds) {
      if (tiles.has(videoId)) continue;
      const tile = new Tile(videoId, { enlarge, told: tell });
      tiles.set(videoId, tile);
      watching.observe(tile.element);
    }
    const wanted = videoIds.flatMap((videoId) => tiles.get(videoId)?.element ?? []);
    const isSame = wanted.every((element, index) => element === grid.children[index]);
    if (!isSame || wanted.length !== grid.children.length) grid.replaceChildren(...wanted);
    layOut();
  }

  function tick(): void {
    const atMs = now();
    const elapsedMs = performance.now() - tickedMs;
    tickedMs = performance.now();
    const all = [...tiles.values()];
    coverage = coverageOf(all.map(({ spans }) => spans));
    const delays = all.flatMap((tile) => tile.liveDelayMs(atMs) ?? []);
    const isLive = all.some((tile) => tile.isLive);
    if (delays.length > 0 || !isLive) liveDelaysMs = delays;
    const before = targetOf(clock, atMs);
    const isLoading = before !== undefined && all.some((tile) => tile.isLoading(before));
    clock = advance(clock, { elapsedMs, liveDelaysMs: delays, isLoading });
    if (!isMoved && isLive && clock.mode === 'past') clock = LIVE_CLOCK;
    // Recordings have no live edge: they begin at their beginning.
    const [first] = coverage;
    if (targetOf(clock, atMs) === undefined && first && !isLive) {
      clock = moveTo(clock, first.fromMs, atMs, []);
    }
    skipGap(atMs, isLive);
    const target = targetOf(clock, atMs);
    for (const tile of all) tile.follow(target, clock.pausedAtMs !== undefined, atMs);
    showTime(target, isLive);
  }

  /** Of all streams at once; behind the last of them the wall stands still. */
  function skipGap(atMs: number, isLive: boolean): void {
    const target = targetOf(clock, atMs);
    if (clock.mode === 'live' || clock.pausedAtMs !== undefined || target === undefined) return;
    const next = nextCovered(coverage, target);
    const end = coverage.at(-1)?.toMs;
    if (next !== undefined) clock = moveTo(clock, next, atMs, liveDelaysMs);
    else if (end !== undefined && target >= end && !isLive) clock = pauseClock(clock, atMs);
  }

  function showTime(target: number | undefined, isLive: boolean): void {
    const isPaused = clock.pausedAtMs !== undefined;
    page.dataset.mode = clock.mode;
    page.dataset.paused = String(isPaused);
    play.setAttribute('aria-label', text(isPaused ? 'wall.play' : 'wall.pause'));
    liveButton.hidden = !isLive;
    liveButton.setAttribute('aria-pressed', String(clock.mode === 'live'));
    play.disabled = target === undefined;
    slider.disabled = target === undefined || coverage.length === 0;
    if (target === undefined) return;
    const words = formatTimeOfDay(target);
    if (time.textContent !== words) time.textContent = words;
    slider.max = String(lengthMs(coverage));
    if (!isDragging) slider.value = String(offsetOfInstant(coverage, target));
    slider.setAttribute('aria-valuetext', words);
  }

  function seek(): void {
    const instant = instantAtOffset(coverage, Number(slider.value));
    isMoved = true;
    if (instant !== undefined) clock = moveTo(clock, instant, now(), liveDelaysMs);
    tick();
  }

  slider.addEventListener('pointerdown', () => {
    isDragging = true;
  });
  for (const end of ['pointerup', 'pointercancel', 'change']) {
    slider.addEventListener(end, () => {
      isDragging = false;
    });
  }
  slider.addEventListener('input', seek);
  slider.addEventListener('keydown', (event) => {
    const keys = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 } as const;
    const sign = keys[event.key as keyof typeof keys];
    if (sign === undefined) return;
    // Its own step is shorter than a picture.
    event.preventDefault();
    slider.value = String(Number(slider.value) + sign * KEY_MS);
    seek();
  });
  play.addEventListener('click', () => {
    const isPaused = clock.pausedAtMs !== undefined;
    isMoved = true;
    clock = isPaused ? resumeClock(clock, now()) : pauseClock(clock, now());
    tick();
  });
  liveButton.addEventListener('click', () => {
    isMoved = false;
    clock = LIVE_CLOCK;
    tick();
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape' && !document.querySelector('dialog[open]')) enlarge(undefined);
  });
  document.addEventListener('visibilitychange', showInView);
  new ResizeObserver(layOut).observe(grid);
  setInterval(tick, TICK_MS);
  return { show, tell };
}
