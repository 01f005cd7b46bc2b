/** What uploads of captions as JSON take. */

import * as z from 'zod/mini';

export const MAX_CUES_AT_ONCE = 100;
const MAX_SECONDS = 1e9;

/** Seconds from the start of the stream, or ISO 8601 with a zone. */
const timeSchema = z.union(
  [
    z.number().check(z.minimum(0), z.maximum(MAX_SECONDS)),
    z.string().check(
      z.regex(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/),
      z.refine((text) => Number.isFinite(Date.parse(text))),
    ),
  ],
  'seconds from the start, or an instant with its zone: 2026-01-31T12:00:00.250Z',
);
export type CueTime = z.infer<typeof timeSchema>;

/** Of the caller. */
const idSchema = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, '1 to 64 letters, digits or . _ : -'));

const cueSchema = z.union([
  z.strictObject({
    /** The same cue sent again changes nothing; other content takes its place. Left out: from times and text. */
    id: z.optional(idSchema),
    from: timeSchema,
    to: timeSchema,
    /** WebVTT cue text. */
    text: z.string().check(z.minLength(1), z.maxLength(2000)),
    /** WebVTT cue settings: `line:0 align:start`. */
    settings: z.optional(z.string().check(z.maxLength(200))),
  }),
  /** Removes the cue. */
  z.strictObject({ id: idSchema, text: z.null() }),
]);
export type CueInput = z.infer<typeof cueSchema>;

/** One cue, a list, or `{ "cues": […] }`. */
export const cuesSchema = z.union([
  z.array(cueSchema).check(z.minLength(1), z.maxLength(MAX_CUES_AT_ONCE)),
  z.strictObject({
    cues: z.array(cueSchema).check(z.minLength(1), z.maxLength(MAX_CUES_AT_ONCE)),
  }),
  cueSchema,
]);
export type CuesInput = z.infer<typeof cuesSchema>;
