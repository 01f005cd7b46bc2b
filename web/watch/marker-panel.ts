/** Markers on the page: a lane on the timeline, and a table that follows playback. */

import { formatClock, formatTimeOfDay } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import {
  classesOf,
  currentMarker,
  hueOf,
  type ShownMarker,
  type ShownMarkers,
} from './shown-markers.ts';

/** Of the player, as it is now. */
export type Timeline = Readonly<{
  live: boolean;
  /** What can be sought, in positions. */
  start: number;
  end: number;
  /** When the picture on the screen was captured. */
  shownAtMs: number | undefined;
  positionOf(instantMs: number): number | undefined;
}>;

export type MarkerPanel = Readonly<{
  show(markers: ShownMarkers): void;
  follow(timeline: Timeline): void;
}>;

const ALL = '';

export function createMarkerPanel(
  view: HTMLElement,
  seek: (position: number) => void,
): MarkerPanel {
  const panel = find(view, '.markers', HTMLElement);
  const lane = find(view, '.marker-lane', HTMLElement);
  const list = find(panel, '.marker-list', HTMLOListElement);
  const filter = find(panel, '.marker-filter', HTMLSelectElement);
  let all: ShownMarkers | undefined;
  let timeline: Timeline | undefined;
  let current: string | undefined;

  const shown = (): readonly ShownMarker[] =>
    (all?.markers ?? []).filter((one) => filter.value === ALL || one.class === filter.value);

  const seekTo = (marker: ShownMarker): void => {
    const position = timeline?.positionOf(marker.startMs);
    if (position !== undefined) seek(position);
  };

  function fill(): void {
    const classes = all ? classesOf(all) : [];
    panel.hidden = classes.length === 0;
    fillFilter(filter, classes);
    list.replaceChildren(...shown().map((marker) => rowOf(marker, classes)));
    lane.replaceChildren(...shown().map((marker) => tickOf(marker, classes)));
    current = undefined;
    place();
  }

  function rowOf(marker: ShownMarker, classes: readonly string[]): HTMLElement {
    const row = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'marker';
    button.dataset.id = marker.id;
    button.style.setProperty('--hue', String(hueOf(marker.class, classes)));
    for (const [name, content] of [
      ['marker-time', ''],
      ['marker-class', marker.class],
      ['marker-text', marker.text],
    ] as const) {
      const part = document.createElement('span');
      part.className = name;
      part.textContent = content;
      button.append(part);
    }
    button.addEventListener('click', () => seekTo(marker));
    row.append(button);
    return row;
  }

  /** The table has the same for the keyboard and for screen readers. */
  function tickOf(marker: ShownMarker, classes: readonly string[]): HTMLElement {
    const tick = document.createElement('span');
    tick.className = 'marker-tick';
    tick.title = [marker.class, marker.text].filter(Boolean).join(': ');
    tick.style.setProperty('--hue', String(hueOf(marker.class, classes)));
    tick.addEventListener('click', () => seekTo(marker));
    return tick;
  }

  function place(): void {
    if (!timeline) return;
    const { live, start, end, positionOf } = timeline;
    const length = Math.max(0.001, end - start);
    shown().forEach((marker, index) => {
      const from = positionOf(marker.startMs);
      const to = marker.endMs === undefined ? end : (positionOf(marker.endMs) ?? end);
      const tick = lane.children[index];
      if (tick instanceof HTMLElement) {
        tick.hidden = from === undefined;
        tick.style.insetInlineStart = `${(((from ?? start) - start) / length) * 100}%`;
        tick.style.width = `${(Math.max(0, to - (from ?? to)) / length) * 100}%`;
      }
      const button = list.children[index]?.firstElementChild;
      if (!(button instanceof HTMLButtonElement)) return;
      button.disabled = from === undefined;
      const time = find(button, '.marker-time', HTMLElement);
      const said = live || from === undefined ? formatTimeOfDay(marker.startMs) : formatClock(from);
      if (time.textContent !== said) time.textContent = said;
    });
    const now = currentMarker(shown(), timeline.shownAtMs)?.id;
    if (now !== current) markCurrent(now);
  }

  function markCurrent(id: string | undefined): void {
    current = id;
    for (const button of list.querySelectorAll<HTMLElement>('.marker')) {
      if (button.dataset.id !== id) button.removeAttribute('aria-current');
      else {
        button.setAttribute('aria-current', 'true');
        // Who reads the list is not moved away from where they are.
        if (!list.matches(':hover, :focus-within')) {
          list.scrollTop = button.offsetTop - list.offsetTop - list.clientHeight / 2;
        }
      }
    }
  }

  filter.addEventListener('change', fill);
  return {
    show(markers) {
      if (markers === all) return;
      all = markers;
      fill();
    },
    follow(next) {
      timeline = next;
      place();
    },
  };
}

/** Keeps the choice while classes come and go. */
function fillFilter(filter: HTMLSelectElement, classes: readonly string[]): void {
  const names = [ALL, ...classes];
  if ([...filter.options].map(({ value }) => value).join('\n') === names.join('\n')) return;
  const chosen = filter.value;
  filter.replaceChildren(
    ...names.map((name) => new Option(name === ALL ? text('markers.all') : name, name)),
  );
  filter.value = names.includes(chosen) ? chosen : ALL;
}
