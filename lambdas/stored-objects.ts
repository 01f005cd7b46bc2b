/** S3 reports stored objects in its own words; the ingest step wants `{ key }`. */

import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { storedKeys } from '../lib/aws/object-stored-queue.ts';

/**
 * One record for each key. What S3 sends when the notification is set up gives none: it is then
 * acknowledged with the rest.
 */
export const withStoredKeys = (event: SQSEvent): SQSEvent => ({
  Records: event.Records.flatMap(translated),
});

function translated(record: SQSRecord): SQSRecord[] {
  try {
    return storedKeys(record.body).map((key) => ({ ...record, body: JSON.stringify({ key }) }));
  } catch {
    // Nobody of us wrote it: the handler refuses it, and it alone.
    return [record];
  }
}
