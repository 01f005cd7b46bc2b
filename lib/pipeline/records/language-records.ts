/** Records of languages that are uploaded on their own, beside those of their tracks. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { Pieces, TimelineState } from '../../domain/timeline.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { EncoderRecords } from './encoder-records.ts';
import { put } from './record-access.ts';
import { languagePieceSort, partitionOf } from './record-keys.ts';
import type { LatePiece } from './record-types.ts';

export class LanguageRecords extends EncoderRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    super(store);
    this.#store = store;
  }

  /** Pieces of languages that came too late for the live playlists, by the sequences of their entries. */
  async latePieces(
    stream: StreamIdentity,
    from: number,
    to: number,
  ): Promise<ReadonlyMap<number, Pieces>> {
    const pieces = new Map<number, Pieces>();
    const range = { from: languagePieceSort(from), to: languagePieceSort(to, '~') };
    for (const { value } of await this.#store.query(partitionOf(stream), range)) {
      const { sequence, rendition, piece } = value as LatePiece;
      pieces.set(sequence, { ...pieces.get(sequence), [rendition]: piece });
    }
    return pieces;
  }

  /** false if the state is no longer at `version`. */
  recordLatePiece(
    stream: StreamIdentity,
    late: LatePiece,
    state: TimelineState,
    version: number,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    const { lateArrivals, latePieces = 0 } = state;
    const counted = { lateArrivals: lateArrivals + 1, latePieces: latePieces + 1 };
    return this.#store.write([
      put(partition, languagePieceSort(late.sequence, late.rendition), late),
      put(partition, 'head', { ...state, ...counted }, version),
    ]);
  }
}
