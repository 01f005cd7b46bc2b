/** Which device takes the place of one that was unplugged. Pure. */

type Device = Readonly<{ deviceId: string; groupId?: string; label?: string }>;

/** Aliases of Chrome for another entry of the list. */
const ALIASES: ReadonlySet<string> = new Set(['default', 'communications']);

/** undefined: there is no other. A browser may still list the one that is gone. */
export const deviceInstead = <One extends Device>(
  devices: readonly One[],
  lostId: string | undefined,
): One | undefined => {
  const others = devices.filter(({ deviceId }) => deviceId !== lostId && deviceId !== '');
  return others.find(({ deviceId }) => !ALIASES.has(deviceId)) ?? others[0];
};
