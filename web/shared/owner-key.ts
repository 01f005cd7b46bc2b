/** The owner's key, kept in the browser: for this tab, or on this device if the owner says so. */

const NAME = 'rivulet-owner-key';

export const readOwnerKey = (): string | undefined =>
  sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME) ?? undefined;

export function keepOwnerKey(key: string, onThisDevice: boolean): void {
  forgetOwnerKey();
  (onThisDevice ? localStorage : sessionStorage).setItem(NAME, key);
}

export function forgetOwnerKey(): void {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
}
