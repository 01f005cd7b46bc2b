/** Menus for quality, audio and captions, filled from what the player has. */

import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import type { Track, Tracks } from './playback.ts';

export type TrackMenus = Readonly<{
  show(tracks: Tracks): void;
  /** Names the rung that the automatic choice has on the screen. */
  showActive(level: string): void;
}>;

const AUTO = -1;
const OFF = -1;
/** Opens the dialog of the captions' style. */
const STYLE = -2;

export function createTrackMenus(
  view: HTMLElement,
  select: Readonly<{
    level(id: number): void;
    audio(id: number): void;
    /** -1: none. */
    captions(id: number): void;
    captionStyle(): void;
  }>,
): TrackMenus {
  const qualityMenu = find(view, '.quality-menu', HTMLElement);
  const audioMenu = find(view, '.audio-menu', HTMLElement);
  const captionsMenu = find(view, '.captions-menu', HTMLElement);
  const captionsItem = find(view, '.captions-item', HTMLElement);
  const qualityItem = find(view, '.quality-item', HTMLElement);
  const audioItem = find(view, '.audio-item', HTMLElement);
  let active = '';
  let captions: readonly Track[] = [];
  let selectedCaptions = OFF;

  qualityMenu.addEventListener('change', () => select.level(chosenIn(qualityMenu)));
  audioMenu.addEventListener('change', () => select.audio(chosenIn(audioMenu)));
  captionsMenu.addEventListener('change', () => {
    const chosen = chosenIn(captionsMenu);
    if (chosen !== STYLE) return select.captions(chosen);
    fillCaptions();
    select.captionStyle();
  });

  return {
    show({ levels, selectedLevel, audio, selectedAudio, ...next }) {
      ({ captions, selectedCaptions } = next);
      fill(qualityMenu, [{ id: AUTO, name: text('player.auto') }, ...levels], selectedLevel);
      fill(audioMenu, audio, selectedAudio);
      fillCaptions();
      captionsItem.hidden = captions.length === 0;
      qualityItem.hidden = levels.length < 2;
      audioItem.hidden = audio.length < 2;
      nameAuto(active);
    },
    showActive(level) {
      if (level !== active) nameAuto(level);
    },
  };

  function fillCaptions(): void {
    const off = { id: OFF, name: text('captions.off') };
    const style = { id: STYLE, name: text('captions.style') };
    fill(captionsMenu, [off, ...captions, style], selectedCaptions);
  }

  function nameAuto(level: string): void {
    active = level;
    const auto = qualityMenu.querySelector<HTMLElement>(`[value="${AUTO}"]`);
    if (!auto) return;
    auto.textContent = level === '' ? text('player.auto') : text('player.autoNow', { level });
    refreshChoice(qualityMenu);
  }
}

const chosenIn = (menu: HTMLElement): number => Number('value' in menu ? menu.value : Number.NaN);

/** Keeps the items while only the choice changes: the menu may be open under the pointer. */
function fill(menu: HTMLElement, tracks: readonly Track[], selected: number): void {
  const present = [...menu.querySelectorAll<HTMLElement>('media-chrome-menu-item')];
  const names = JSON.stringify(tracks);
  if (menu.dataset.tracks !== names) {
    menu.dataset.tracks = names;
    for (const item of present) item.remove();
    menu.append(...tracks.map(createItem));
  }
  for (const item of menu.querySelectorAll('media-chrome-menu-item')) {
    const checked = item.getAttribute('value') === String(selected);
    if ('checked' in item && item.checked !== checked) item.checked = checked;
  }
  refreshChoice(menu);
}

/** media-chrome refreshes the choice beside the submenu's name on this event alone. */
const refreshChoice = (menu: HTMLElement): boolean => menu.dispatchEvent(new Event('addmenuitem'));

function createItem({ id, name }: Track): HTMLElement {
  const item = document.createElement('media-chrome-menu-item');
  item.setAttribute('type', 'radio');
  item.setAttribute('value', String(id));
  item.textContent = name;
  return item;
}
