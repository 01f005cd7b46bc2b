/** What the calls of `/markers/{videoId}` take. */

import * as z from 'zod/mini';
import type { JsonValue } from '../domain/markers/marker.ts';

export const MAX_MARKERS_AT_ONCE = 100;
const MAX_DATA_BYTES = 4096;
const MAX_SECONDS = 1e9;

/** Seconds from the start of the stream, or ISO 8601 with a zone. */
export const timeSchema = z.union(
  [
    z.number().check(z.minimum(0), z.maximum(MAX_SECONDS)),
    z.string().check(
      z.regex(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/),
      z.refine((text) => Number.isFinite(Date.parse(text))),
    ),
  ],
  'seconds from the start, or an instant with its zone: 2026-01-31T12:00:00.250Z',
);
export type MarkerTime = z.infer<typeof timeSchema>;

/** Stands in attributes of a playlist, and in its own address. */
const nameSchema = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, '1 to 64 letters, digits or . _ : -'));

const textSchema = z.string().check(
  z.maxLength(500),
  z.refine((text) => /[^\p{Cc}\p{Z}]/u.test(text), 'not empty'),
);

const dataSchema = z
  .record(z.string(), z.json())
  .check(
    z.refine(
      (data) => Buffer.byteLength(JSON.stringify(data)) <= MAX_DATA_BYTES,
      `at most ${MAX_DATA_BYTES} bytes of JSON`,
    ),
  ) as z.ZodMiniType<Record<string, JsonValue>>;

const marker = {
  /** The caller's own: the same marker sent again changes nothing. */
  id: z.optional(nameSchema),
  class: z.optional(nameSchema),
  /** An instant; or `start`, with `end` as soon as it is known. */
  at: z.optional(timeSchema),
  start: z.optional(timeSchema),
  end: z.optional(timeSchema),
  text: z.optional(textSchema),
  data: z.optional(dataSchema),
};

const markerSchema = z
  .strictObject(marker)
  .check(
    z.refine(
      ({ at, start, end }) =>
        (at === undefined) !== (start === undefined) && !(at !== undefined && end !== undefined),
      'either "at", or "start" with or without "end"',
    ),
  );
export type MarkerInput = z.infer<typeof markerSchema>;

/** One marker, or `{ "markers": […] }`. */
export const markersSchema = z.union([
  z.strictObject({
    markers: z.array(markerSchema).check(z.minLength(1), z.maxLength(MAX_MARKERS_AT_ONCE)),
  }),
  markerSchema,
]);

/** null takes a value away. */
export const markerChangeSchema = z
  .strictObject({
    class: z.optional(nameSchema),
    at: z.optional(timeSchema),
    start: z.optional(timeSchema),
    end: z.optional(z.nullable(timeSchema)),
    text: z.optional(z.nullable(textSchema)),
    data: z.optional(z.nullable(dataSchema)),
  })
  .check(
    z.refine(
      ({ at, start, end }) => at === undefined || (start === undefined && end === undefined),
      'either "at", or "start" and "end"',
    ),
  );
export type MarkerChangeInput = z.infer<typeof markerChangeSchema>;
