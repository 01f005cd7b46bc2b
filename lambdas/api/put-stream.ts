/** `PUT /streams/{videoId}`: makes a stream, or changes its settings. */

import * as z from 'zod/mini';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { credentialOf, requireOwner } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { putStream } from '../../lib/pipeline/streams.ts';
import { apiHandler, json } from '../runtime/middleware.ts';
import { parseBody } from '../runtime/request-body.ts';

const rung = z.strictObject({
  name: z.string().check(z.regex(/^[a-z0-9]{1,16}$/, 'letters and digits, as in 720p')),
  shortSidePx: z.int().check(z.minimum(64), z.maximum(4320)),
  maxrateBps: z.int().check(z.minimum(50_000), z.maximum(100_000_000)),
});

const ladder = z.array(rung).check(
  z.minLength(1),
  z.maxLength(8),
  z.refine(
    (rungs) => new Set(rungs.map((one) => one.name)).size === rungs.length,
    'each rung has a name of its own',
  ),
  z.refine(
    (rungs) => rungs.every((one) => one.name !== 'source' && !one.name.startsWith('audio')),
    '"source" and "audio…" are taken',
  ),
);

const streamSettings = z.partial(
  z.strictObject({
    title: z.string().check(z.trim(), z.minLength(1), z.maxLength(200)),
    targetDurationSeconds: z.int().check(z.minimum(1), z.maximum(30)),
    dvrWindowSeconds: z.nullable(z.number().check(z.minimum(0), z.maximum(31_536_000))),
    idleTimeoutSeconds: z.nullable(z.number().check(z.minimum(1), z.maximum(604_800))),
    holeGraceSeconds: z.number().check(z.minimum(0), z.maximum(600)),
    ladder,
    redundant: z.boolean(),
    /** Makes a new upload key; the one before no longer counts. */
    newUploadKey: z.boolean(),
  }),
);

export const putStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    requireOwner(deps, credentialOf(event.headers.authorization));
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const { newUploadKey = false, ...change } = parseBody(streamSettings, event);
    const { isNew, ...stream } = await putStream(deps, videoId, change, newUploadKey);
    return json(isNew ? 201 : 200, stream);
  });
