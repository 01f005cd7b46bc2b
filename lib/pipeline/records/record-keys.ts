/** Where records lie in the store: partitions and sort keys. Numbers are padded, so that text sorts as they do. */

import { placeOf, type StreamIdentity } from '../../domain/object-keys.ts';

export const CATALOGUE = 'streams';
export const settingsOf = (videoId: string): string => `stream/${videoId}`;
/** All but the settings: gone, and not found again, when a stream of the same id is created again. */
export const partitionOf = (stream: StreamIdentity): string => `stream/${placeOf(stream)}`;
/** Numbers alone, so that finding missing segments does not read whole records. */
export const numbersOf = (stream: StreamIdentity, run: number): string =>
  `${partitionOf(stream)}/numbers/${run}`;

export const digits = (number: number): string => String(number).padStart(16, '0');
export const runSort = (run: number): string => `run/${digits(run)}`;
export const segmentSort = (run: number, number: number): string =>
  `segment/${run}/${digits(number)}`;
export const outcomeSort = (run: number, number: number): string =>
  `outcome/${run}/${digits(number)}`;
export const durationSort = (run: number, number: number): string =>
  `duration/${run}/${digits(number)}`;
/** `scope`: the encoder's session, empty without one. A name has up to 255 bytes. */
export const namingSort = (scope: string): string => `naming/${scope}`;
export const nameSort = (scope: string, name: string): string => `name/${scope}/${name}`;
export const queuedSort = (run: number, number: number): string =>
  `queued/${run}/${digits(number)}`;
export const timelineSort = (sequence: number): string => `timeline/${digits(sequence)}`;
export const lateArrivalSort = (run: number, number: number): string =>
  `late/${digits(run)}/${digits(number)}`;
/** Of a segment of a language that is uploaded on its own, when it counts as stored. */
export const countedSort = (run: number, number: number): string =>
  `counted/${run}/${digits(number)}`;
export const removalSort = (id: string): string => `removal/${id}`;
export const languagePieceSort = (sequence: number, rendition = ''): string =>
  `language-piece/${digits(sequence)}/${rendition}`;
export const HIGHEST = '9'.repeat(16);
