/** `PUT`, `GET` and `DELETE` of `/streams`: the owner's side. */

import { z } from 'zod';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { credentialOf, requireOwner } from '../../lib/pipeline/access.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { deleteStream, listStreams, putStream, showStream } from '../../lib/pipeline/streams.ts';
import { apiHandler, type HttpEvent, json, parseBody } from '../middleware.ts';

const rung = z.strictObject({
  name: z.string().regex(/^[a-z0-9]{1,16}$/, 'letters and digits, as in 720p'),
  shortSidePx: z.int().min(64).max(4320),
  maxrateBps: z.int().min(50_000).max(100_000_000),
});

const streamSettings = z.strictObject({
  title: z.string().trim().min(1).max(200).optional(),
  targetDurationSeconds: z.int().min(1).max(30).optional(),
  dvrWindowSeconds: z.number().min(0).max(31_536_000).nullable().optional(),
  idleTimeoutSeconds: z.number().min(1).max(604_800).nullable().optional(),
  holeGraceSeconds: z.number().min(0).max(600).optional(),
  ladder: z
    .array(rung)
    .min(1)
    .max(8)
    .refine(
      (rungs) => new Set(rungs.map((one) => one.name)).size === rungs.length,
      'each rung has a name of its own',
    )
    .refine(
      (rungs) => rungs.every((one) => one.name !== 'source' && !one.name.startsWith('audio')),
      '"source" and "audio…" are taken',
    )
    .optional(),
  redundant: z.boolean().optional(),
  /** Makes a new upload key; the one before no longer counts. */
  newUploadKey: z.boolean().optional(),
});

const requireOwnerOf = (deps: Deps, event: HttpEvent): void =>
  requireOwner(deps, credentialOf(event.headers.authorization));

export const putStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    requireOwnerOf(deps, event);
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const { newUploadKey = false, ...change } = parseBody(streamSettings, event);
    const { isNew, ...stream } = await putStream(deps, videoId, change, newUploadKey);
    return json(isNew ? 201 : 200, stream);
  });

export const listStreamsHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    requireOwnerOf(deps, event);
    return json(200, { streams: await listStreams(deps) });
  });

export const getStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    requireOwnerOf(deps, event);
    return json(200, await showStream(deps, parseVideoId(event.pathParameters?.videoId)));
  });

export const deleteStreamHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    requireOwnerOf(deps, event);
    await deleteStream(deps, parseVideoId(event.pathParameters?.videoId));
    return { statusCode: 204 };
  });
