/** Which stream the studio sends to, and with which key: from the link, then kept in this tab. */

import { accessOfLink, type StudioAccess } from './studio-link.ts';

const NAME = 'rivulet-studio';

/** Takes both out of the address, so that no copied link and no history has the key. */
export function takeAccessOfLink(): Partial<StudioAccess> {
  const access = accessOfLink(location.hash);
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return access;
}

export const keepAccess = (access: StudioAccess): void =>
  sessionStorage.setItem(NAME, JSON.stringify(access));

export const forgetAccess = (): void => sessionStorage.removeItem(NAME);

/** undefined: nothing is kept in this tab. */
export function keptAccess(): StudioAccess | undefined {
  try {
    const kept: Partial<StudioAccess> = JSON.parse(sessionStorage.getItem(NAME) ?? '{}');
    const { videoId, key } = kept;
    return typeof videoId === 'string' && typeof key === 'string' ? { videoId, key } : undefined;
  } catch {
    return undefined;
  }
}
