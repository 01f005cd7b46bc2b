/** Which segment is sent next, and what a receipt says of the others. Pure. */

import type { Receipt } from '../../lib/api/messages.ts';
import type { SpooledSegment } from './segment-store.ts';

/** Acknowledged segments that are kept for a receipt that calls them missing. */
const KEPT_AFTER_RECEIPT = 3;

/** The most numbers that a receipt names: of those above the last of so many it says nothing. */
const MAX_MISSING = 100;

/** What a receipt has changed: files to remove, because the server has them for good. */
type Outcome = Readonly<{ removable: readonly SpooledSegment[] }>;

export class UploadSchedule {
  #waiting: SpooledSegment[] = [];
  #acknowledged: SpooledSegment[] = [];

  get backlog(): Readonly<{ segments: number; seconds: number }> {
    const seconds = this.#waiting.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
    return { segments: this.#waiting.length, seconds };
  }

  get next(): SpooledSegment | undefined {
    return this.#waiting[0];
  }

  /** Behind all others. */
  add(segment: SpooledSegment): void {
    this.#waiting.push(segment);
  }

  /** What an earlier page left goes before all others, whatever the clock says of its session. */
  addFirst(segments: readonly SpooledSegment[]): void {
    this.#waiting.unshift(...segments);
  }

  /** It is not sent any more, as the server refused it, or its file is gone. */
  drop(segment: SpooledSegment): void {
    this.#waiting = this.#waiting.filter((one) => one !== segment);
  }

  /** Repeats what the receipt calls missing, and leaves out what the server says it has. */
  received(segment: SpooledSegment, { missing, next }: Receipt): Outcome {
    const isLacking = new Set(missing);
    const certainBelow = missing.length < MAX_MISSING ? next : Math.max(...missing) + 1;
    const isStored = ({ session, number }: SpooledSegment): boolean =>
      session === segment.session &&
      number > segment.number &&
      number < certainBelow &&
      !isLacking.has(number);
    const again = this.#acknowledged.filter(
      ({ session, number }) => session === segment.session && isLacking.has(number),
    );
    const known = this.#waiting.filter((one) => one !== segment && isStored(one));
    this.#waiting = this.#waiting.filter((one) => one !== segment && !known.includes(one));
    this.#acknowledged = this.#acknowledged.filter((one) => !again.includes(one));
    this.addFirst(again);
    this.#acknowledged.push(segment);
    const gone = this.#acknowledged.splice(0, this.#acknowledged.length - KEPT_AFTER_RECEIPT);
    return { removable: [...known, ...gone] };
  }

  /** All that is kept after its receipt; from now on it is not. */
  forgetAcknowledged(): readonly SpooledSegment[] {
    return this.#acknowledged.splice(0);
  }
}
