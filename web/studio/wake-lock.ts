/** Keeps the screen on, as phones stop cameras when it goes out. */

let wanted = false;
let lock: WakeLockSentinel | undefined;

export function keepAwake(isWanted: boolean): void {
  wanted = isWanted;
  if (isWanted) void acquire();
  else void lock?.release().catch(() => undefined);
}

/** Browsers let it go when the page is hidden; some have none. */
async function acquire(): Promise<void> {
  if (!wanted || document.hidden || !('wakeLock' in navigator)) return;
  lock = await navigator.wakeLock.request('screen').catch(() => undefined);
}

document.addEventListener('visibilitychange', () => void acquire());
