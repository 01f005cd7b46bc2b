/** How long segments took from their upload until they stood in the playlists. */

import type { Deps } from '../lib/pipeline/deps.ts';
import { publishRequest } from '../lib/pipeline/messages.ts';
import { StreamRecords } from '../lib/pipeline/records.ts';
import type { Measure } from './observability.ts';

/**
 * Of the segments that the requests named and that are published now. One that waits for those
 * before it is not measured: nothing tells us which request will publish it.
 */
export async function measurePublishDelay(
  { index, clock }: Deps,
  measure: Measure,
  bodies: readonly string[],
): Promise<void> {
  const records = new StreamRecords(index);
  for (const body of bodies) {
    const { settled, ...stream } = publishRequest.parse(JSON.parse(body));
    if (!settled) continue;
    const [{ value: head }, segment] = await Promise.all([
      records.head(stream),
      records.findSegment(stream, settled.run, settled.number),
    ]);
    const isPublished =
      head.run > settled.run ||
      (head.run === settled.run && settled.number < (head.nextNumber ?? 0));
    if (segment && isPublished) {
      measure.milliseconds('PublishDelay', clock.now() - segment.uploadedAtMs);
    }
  }
}
