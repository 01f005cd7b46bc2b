/** Records of languages that are uploaded on their own, beside those of their tracks. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { LateArrival } from '../../domain/recording.ts';
import type { Pieces, TimelineState } from '../../domain/timeline.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { EncoderRecords } from './encoder-records.ts';
import { find, put } from './record-access.ts';
import { countedSort, languagePieceSort, lateArrivalSort, partitionOf } from './record-keys.ts';
import type { LatePiece, Versioned } from './record-types.ts';

export class LanguageRecords extends EncoderRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    super(store);
    this.#store = store;
  }

  latePiece(
    stream: StreamIdentity,
    sequence: number,
    rendition: string,
  ): Promise<Versioned<LatePiece> | undefined> {
    const sort = languagePieceSort(sequence, rendition);
    return find<LatePiece>(this.#store, partitionOf(stream), sort);
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
    return this.#store.write([
      put(partition, languagePieceSort(late.sequence, late.rendition), late),
      put(partition, 'head', withLatePiece(state), version),
    ]);
  }

  /** A late arrival with other pieces. false if the state is no longer at `version`, or it at its own. */
  replaceLateArrival(
    stream: StreamIdentity,
    late: Versioned<LateArrival>,
    state: TimelineState,
    version: number,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    const { run, number } = late.value;
    return this.#store.write([
      put(partition, lateArrivalSort(run, number), late.value, late.version),
      put(partition, 'head', withLatePiece(state), version),
    ]);
  }

  async isCounted(track: StreamIdentity, run: number, number: number): Promise<boolean> {
    const sort = countedSort(run, number);
    return (await find(this.#store, partitionOf(track), sort)) !== undefined;
  }

  /** That a segment of a track counts as stored. false if it does already, or if the state is no longer at `version`. */
  recordCounted(
    stream: StreamIdentity,
    track: StreamIdentity,
    { run, number, bytes }: Readonly<{ run: number; number: number; bytes: number }>,
    state: TimelineState,
    version: number,
  ): Promise<boolean> {
    return this.#store.write([
      put(partitionOf(track), countedSort(run, number), { countedBytes: bytes }, 0),
      put(partitionOf(stream), 'head', state, version),
    ]);
  }
}

/** The recording is another one by it. */
const withLatePiece = (state: TimelineState): TimelineState => ({
  ...state,
  lateArrivals: state.lateArrivals + 1,
  latePieces: (state.latePieces ?? 0) + 1,
});
