import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  audioRenditionName,
  audioSlotOf,
  audioSlots,
  type SlotTrack,
  unknownTracks,
} from '../../lib/domain/audio-slots.ts';

const track = (trackId: number | undefined, language = 'und'): SlotTrack => ({ trackId, language });

const CASES: readonly (readonly [
  string,
  run: readonly SlotTrack[],
  segment: readonly SlotTrack[],
  slots: readonly number[],
])[] = [
  ['the tracks of the run', [track(257), track(258)], [track(257), track(258)], [0, 1]],
  ['tracks that changed places', [track(257), track(258)], [track(258), track(257)], [1, 0]],
  ['the second track alone', [track(257), track(258)], [track(258)], [1]],
  [
    'a track with another id and the same language',
    [track(1, 'en'), track(2, 'de')],
    [track(7, 'de')],
    [1],
  ],
  [
    'an id before a language',
    [track(1, 'en'), track(2, 'de')],
    [track(9, 'en'), track(1, 'de')],
    [1, 0],
  ],
  [
    'a track that nothing identifies, in a free slot',
    [track(1), track(2)],
    [track(9), track(1)],
    [1, 0],
  ],
  [
    'a language that the run does not have, in a free slot',
    [track(1, 'en')],
    [track(9, 'fr')],
    [0],
  ],
  ['a track more than the run has', [track(1)], [track(5), track(1), track(6)], [1, 0, 2]],
  ['sound in a run that began without', [], [track(257, 'en'), track(258, 'de')], [0, 1]],
  [
    'facts from before ids were recorded',
    [track(undefined), track(undefined)],
    [track(undefined), track(undefined)],
    [0, 1],
  ],
  [
    'languages from before ids were recorded',
    [track(undefined, 'en'), track(undefined, 'de')],
    [track(7, 'de'), track(8, 'en')],
    [1, 0],
  ],
  [
    'two tracks of one language',
    [track(1, 'en'), track(2, 'en')],
    [track(8, 'en'), track(9, 'en')],
    [0, 1],
  ],
  ['an id that occurs twice', [track(1), track(2)], [track(1), track(1)], [0, 1]],
];

describe('slots of audio tracks:', () => {
  for (const [what, run, segment, slots] of CASES) {
    test(`${what}: ${slots.join(', ')}`, () => assert.deepEqual(audioSlots(run, segment), slots));
  }

  test('renditions are named by their slots', () => {
    const names = ['audio', 'audio-2', 'audio-3'];
    assert.deepEqual([0, 1, 2].map(audioRenditionName), names);
    assert.deepEqual(names.map(audioSlotOf), [0, 1, 2]);
  });

  test('tracks that the run does not know are those without a slot of its', () => {
    const [english, german, french] = [track(1, 'en'), track(2, 'de'), track(3, 'fr')] as const;
    assert.deepEqual(unknownTracks([english], [german, english, french]), [german, french]);
    assert.deepEqual(unknownTracks([english, german], [german]), []);
  });
});
