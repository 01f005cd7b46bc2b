/** The link that opens the studio for a stream. Pure. */

export type StudioAccess = Readonly<{ videoId: string; key: string }>;

/** Of `#stream=ID&key=KEY`; each may be missing. */
export function accessOfLink(hash: string): Partial<StudioAccess> {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const videoId = given.get('stream')?.trim();
  const key = given.get('key')?.trim();
  return { ...(videoId && { videoId }), ...(key && { key }) };
}
