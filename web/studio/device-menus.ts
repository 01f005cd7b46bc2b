/** The menus of cameras and microphones. */

import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import type { DeviceKind, MediaSources } from './media-sources.ts';

const KINDS: readonly DeviceKind[] = ['camera', 'microphone'];

const menuOf = (room: HTMLElement, kind: DeviceKind): HTMLSelectElement =>
  find(room, `#${kind}`, HTMLSelectElement);

export function connectDeviceMenus(
  room: HTMLElement,
  sources: MediaSources,
  onProblem: (error: unknown) => void,
): void {
  for (const kind of KINDS) {
    const menu = menuOf(room, kind);
    menu.addEventListener('change', () => {
      sources.open(kind, menu.value).catch(onProblem);
    });
  }
}

export async function fillDeviceMenus(room: HTMLElement, sources: MediaSources): Promise<void> {
  for (const kind of KINDS) {
    const devices = await sources.devices(kind);
    const options = devices.map(({ deviceId, label }, index) => {
      const name = text(kind === 'camera' ? 'studio.camera' : 'studio.microphone');
      return new Option(label || `${name} ${index + 1}`, deviceId);
    });
    const none = new Option(text('studio.noneChosen'), '');
    const chosen = sources[kind]?.getSettings().deviceId ?? '';
    const menu = menuOf(room, kind);
    menu.replaceChildren(...(chosen === '' ? [none, ...options] : options));
    menu.value = chosen;
    menu.disabled = devices.length === 0;
  }
}
