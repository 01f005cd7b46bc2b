/** What `POST /clips/{videoId}` takes. */

import * as z from 'zod/mini';
import { timeSchema } from './markers.ts';

export const savedClipSchema = z.strictObject({
  from: timeSchema,
  to: timeSchema,
  title: z.optional(z.string().check(z.trim(), z.minLength(1), z.maxLength(200))),
});
export type SavedClipInput = z.infer<typeof savedClipSchema>;
