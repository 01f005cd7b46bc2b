/** Records of what encoders say beside their segments: hints, names of files, init segments. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { NamedNumber } from '../../domain/segment-names.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { find, MAX_WRITES, put } from './record-access.ts';
import { durationSort, nameSort, namingSort, partitionOf } from './record-keys.ts';
import {
  NO_NAMING,
  type PushNaming,
  type SegmentHint,
  type SourceInit,
  type StartHint,
  type Versioned,
} from './record-types.ts';

export class EncoderRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  async startHint(stream: StreamIdentity, run: number): Promise<StartHint | undefined> {
    return (await find<StartHint>(this.#store, partitionOf(stream), `announced/${run}`))?.value;
  }

  /** Fields that are left out stay. */
  async hintStart(stream: StreamIdentity, run: number, hint: StartHint): Promise<void> {
    const before = await this.startHint(stream, run);
    const after = { ...before, ...hint };
    if (
      before?.firstNumber === after.firstNumber &&
      before?.targetDurationSeconds === after.targetDurationSeconds
    ) {
      return;
    }
    await this.#store.write([put(partitionOf(stream), `announced/${run}`, after)]);
  }

  /** What the encoder says of a segment, by its playlist or with the upload. */
  async segmentHint(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<SegmentHint | undefined> {
    const found = await find<SegmentHint | number>(
      this.#store,
      partitionOf(stream),
      durationSort(run, number),
    );
    // Before programDateTimeMs was kept, too, the record was the duration alone.
    return typeof found?.value === 'number' ? { seconds: found.value } : found?.value;
  }

  /** Of several hints for one number the last counts. */
  async hintSegments(
    stream: StreamIdentity,
    run: number,
    hints: readonly Readonly<SegmentHint & { number: number }>[],
  ): Promise<void> {
    const partition = partitionOf(stream);
    const byNumber = new Map(hints.map(({ number, ...hint }) => [number, hint]));
    const writes = [...byNumber].map(([number, hint]) =>
      put(partition, durationSort(run, number), hint),
    );
    for (let index = 0; index < writes.length; index += MAX_WRITES) {
      await this.#store.write(writes.slice(index, index + MAX_WRITES));
    }
  }

  async findSourceInit(stream: StreamIdentity, scope: string): Promise<SourceInit | undefined> {
    return (await find<SourceInit>(this.#store, partitionOf(stream), `init/${scope}`))?.value;
  }

  async putSourceInit(stream: StreamIdentity, scope: string, init: SourceInit): Promise<void> {
    await this.#store.write([put(partitionOf(stream), `init/${scope}`, init)]);
  }

  // Names of pushed files

  async pushNaming(stream: StreamIdentity, scope: string): Promise<Versioned<PushNaming>> {
    const found = await find<PushNaming>(this.#store, partitionOf(stream), namingSort(scope));
    return found ?? { value: NO_NAMING, version: 0 };
  }

  /** false if the naming is no longer at `version`. `named` and `released` are written with it. */
  writePushNaming(
    stream: StreamIdentity,
    scope: string,
    { value, version }: Versioned<PushNaming>,
    named: readonly NamedNumber[] = [],
    released?: string,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    return this.#store.write([
      put(partition, namingSort(scope), value, version),
      ...named.map(({ name, number }) => put(partition, nameSort(scope, name), number)),
      ...(released === undefined
        ? []
        : [{ type: 'delete' as const, partition, sort: nameSort(scope, released) }]),
    ]);
  }

  /** undefined if the name was given none, or if its number can be told from the names before it. */
  async numberOfName(
    stream: StreamIdentity,
    scope: string,
    name: string,
  ): Promise<number | undefined> {
    return (await find<number>(this.#store, partitionOf(stream), nameSort(scope, name)))?.value;
  }
}
