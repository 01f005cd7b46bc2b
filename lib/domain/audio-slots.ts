/** Which rendition each audio track of a segment belongs to. Pure. */

export type SlotTrack = Readonly<{
  /** The container's; absent in what was recorded before it was known. */
  trackId?: number | undefined;
  /** BCP 47; `und` when the container gives none. */
  language?: string | undefined;
}>;

/**
 * For each track of a segment its slot: the index in the run's list of tracks, by which its rendition is
 * named. A track goes to the slot of the same track id; else to one of the same language; else to one
 * that is free, as an encoder that came back may number its tracks anew. Slots that other tracks have a
 * better claim to are not free. Tracks that the run does not know become the next slots, in their order.
 */
export function audioSlots(
  runTracks: readonly SlotTrack[],
  tracks: readonly SlotTrack[],
): readonly number[] {
  const slots = new Map<number, number>();
  const taken = new Set<number>();
  const claim = (isSame: (slot: SlotTrack, track: SlotTrack) => boolean): void => {
    tracks.forEach((track, index) => {
      if (slots.has(index)) return;
      const slot = runTracks.findIndex((one, at) => !taken.has(at) && isSame(one, track));
      if (slot < 0) return;
      slots.set(index, slot);
      taken.add(slot);
    });
  };
  claim((slot, track) => slot.trackId !== undefined && slot.trackId === track.trackId);
  claim(({ language = 'und' }, track) => language !== 'und' && language === track.language);
  claim(() => true);
  let next = runTracks.length;
  return tracks.map((_, index) => slots.get(index) ?? next++);
}

/** Tracks that the run does not know, in the order of the slots that they take. */
export const unknownTracks = <Track extends SlotTrack>(
  runTracks: readonly SlotTrack[],
  tracks: readonly Track[],
): readonly Track[] => {
  const slots = audioSlots(runTracks, tracks);
  return tracks.filter((_, index) => (slots[index] ?? 0) >= runTracks.length);
};

/** Of the slot's rendition: `audio`, `audio-2`, … */
export const audioRenditionName = (slot: number): string =>
  slot === 0 ? 'audio' : `audio-${slot + 1}`;

/** The other way round. */
export const audioSlotOf = (renditionName: string): number =>
  renditionName === 'audio' ? 0 : Number(renditionName.replace(/^audio-/, '')) - 1;
