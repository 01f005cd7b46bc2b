/**
 * What a multivariant playlist declares of a rendition: true of all pieces that it lists, whatever an
 * encoder that came back made of it, and whichever rendition's pieces stand in for its own. Pure.
 */

import type { RenditionInfo } from './timeline.ts';

/** `now`, with what holds for the pieces that `before` describes, too; size and language are those of `now`. */
export function declaredInfo(before: RenditionInfo | undefined, now: RenditionInfo): RenditionInfo {
  if (before?.kind === 'video' && now.kind === 'video') {
    return {
      ...now,
      codecString: higherLevel(before.codecString, now.codecString),
      // RFC 8216bis, 4.4.6.2: the maximum.
      framesPerSecond: Math.max(before.framesPerSecond, now.framesPerSecond),
    };
  }
  if (before?.kind === 'audio' && now.kind === 'audio') {
    const codecs = [now, before].flatMap(({ codecString }) => codecString.split(','));
    return { ...now, codecString: [...new Set(codecs)].join(',') };
  }
  return now;
}

/** Of two of H.264: the rungs differ in nothing but the level, which stands last. */
const higherLevel = (a: string, b: string): string => (levelOf(a) > levelOf(b) ? a : b);

const levelOf = (codecString: string): number => Number.parseInt(codecString.slice(-2), 16);
