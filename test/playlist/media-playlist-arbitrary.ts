/** Media playlists for property tests: any that the publisher could show, and odder ones. */

import fc from 'fast-check';
import type { MediaSegment } from '../../lib/playlist/hls-media.ts';
import type { MediaPlaylist } from './format-media-playlist.ts';

const path = (extension: string): fc.Arbitrary<string> =>
  fc
    .array(fc.stringMatching(/^[A-Za-z0-9._~-]{1,12}$/), { minLength: 1, maxLength: 3 })
    .map((parts) => `/${parts.join('/')}.${extension}`);

// Plain objects, as deepEqual compares prototypes, too.
const plain = { noNullPrototype: true } as const;

const segment: fc.Arbitrary<MediaSegment> = fc.record(
  {
    uri: path('m4s'),
    // Few, so that segments often share one.
    mapUri: fc.constantFrom('/media/a/init-1.mp4', '/media/a/init-2.mp4'),
    durationTicks: fc.integer({ min: 1, max: 90_000 * 3600 }),
    programDateTimeMs: fc.integer({ min: 0, max: Date.UTC(2100, 0) }),
    discontinuity: fc.boolean(),
    gap: fc.boolean(),
  },
  plain,
);

export const mediaPlaylist: fc.Arbitrary<MediaPlaylist> = fc
  .record({
    targetDurationSeconds: fc.integer({ min: 1, max: 3600 }),
    mediaSequence: fc.integer({ min: 0, max: 1e9 }),
    discontinuitySequence: fc.integer({ min: 0, max: 1e6 }),
    playlistType: fc.constantFrom(undefined, 'EVENT' as const, 'VOD' as const),
    ended: fc.boolean(),
    segments: fc.array(segment, { maxLength: 12 }),
  })
  .map(({ playlistType, ...playlist }) =>
    playlistType ? { ...playlist, playlistType } : playlist,
  );
