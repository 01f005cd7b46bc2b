/** Objects that browsers save instead of showing them: what their keys say to every engine. */

/** The name under which the object is saved; undefined: it is shown. */
export const savedNameOf = (key: string): string | undefined =>
  key.match(/^media\/[^/]+\/[^/]+\/saved\/[^/]+\/([^/]+)$/)?.[1];

/** Content-Disposition (RFC 6266); names of objects need no escape. */
export const savedAs = (name: string): string => `attachment; filename="${name}"`;
