/** What a ladder and a stream's settings may be: in `PUT /streams/{videoId}`, and in a deployment's options. */

import * as z from 'zod/mini';
import { normalLanguage, UNDETERMINED } from '../domain/languages/language.ts';
import { ANYWHERE } from '../domain/languages/region-default.ts';

const rung = z.strictObject({
  name: z.string().check(z.regex(/^[a-z0-9]{1,16}$/, 'letters and digits, as in 720p')),
  shortSidePx: z.int().check(z.minimum(64), z.maximum(4320)),
  maxrateBps: z.int().check(z.minimum(50_000), z.maximum(100_000_000)),
});

/** Renditions are named by their rungs, so a rung cannot have the name of another rendition. */
export const ladderSchema = z.array(rung).check(
  z.minLength(1),
  z.maxLength(8),
  z.refine(
    (rungs) => new Set(rungs.map(({ name }) => name)).size === rungs.length,
    'each rung has a name of its own',
  ),
  z.refine(
    (rungs) => rungs.every(({ name }) => name !== 'source' && !name.startsWith('audio')),
    '"source" and "audio…" are taken',
  ),
);

/** Seconds; null: unlimited. */
export const dvrWindowSchema = z.nullable(z.number().check(z.minimum(0), z.maximum(31_536_000)));

const days = z.int().check(z.minimum(1), z.maximum(3650));
const around = z.number().check(z.minimum(0), z.maximum(86_400));

/** null: recordings are kept for ever. */
export const retentionSchema = z.nullable(
  z
    .strictObject({
      days,
      marked: z.exactOptional(
        z
          .array(
            z.strictObject({
              class: z.exactOptional(z.string().check(z.minLength(1), z.maxLength(64))),
              days: z.nullable(days),
              beforeSeconds: z._default(around, 0),
              afterSeconds: z._default(around, 0),
            }),
          )
          .check(z.minLength(1), z.maxLength(20)),
      ),
      clipped: z.exactOptional(z.nullable(days)),
    })
    .check(
      z.refine(
        ({ days: all, marked = [], clipped = all }) =>
          [...marked.map((rule) => rule.days), clipped].every((one) => one === null || one >= all),
        'what is marked or clipped is kept as long as all, or longer',
      ),
    ),
);

const language = z.pipe(
  z.string().check(z.maxLength(35)),
  z.pipe(
    z.transform((tag: string) => normalLanguage(tag)),
    z.string().check(z.refine((tag) => tag !== UNDETERMINED, 'a BCP 47 tag, as in pt-BR')),
  ),
);

/** There are 249 countries. */
const MAX_COUNTRIES = 300;

/** Languages by country; empty: none is preferred. */
export const regionDefaultsSchema = z
  .record(
    z
      .string()
      .check(z.regex(/^(?:[A-Z]{2}|\*)$/, `two capital letters of a country, or ${ANYWHERE}`)),
    language,
  )
  .check(
    z.refine(
      (defaults) => Object.keys(defaults).length <= MAX_COUNTRIES,
      `at most ${MAX_COUNTRIES} countries`,
    ),
  );

/** All that `PUT /streams/{videoId}` takes; each may be left out. */
export const streamSettingsSchema = z.partial(
  z.strictObject({
    title: z.string().check(z.trim(), z.minLength(1), z.maxLength(200)),
    targetDurationSeconds: z.int().check(z.minimum(1), z.maximum(30)),
    dvrWindowSeconds: dvrWindowSchema,
    idleTimeoutSeconds: z.nullable(z.number().check(z.minimum(1), z.maximum(604_800))),
    holeGraceSeconds: z.number().check(z.minimum(0), z.maximum(600)),
    ladder: ladderSchema,
    redundant: z.boolean(),
    webm: z.enum(['onDemand', 'always', 'never']),
    listed: z.boolean(),
    defaultAudio: regionDefaultsSchema,
    /** `off` is none. */
    defaultCaptions: regionDefaultsSchema,
    retention: retentionSchema,
    /** Makes a new upload key; the one before no longer counts. */
    newUploadKey: z.boolean(),
  }),
);
