/** `GET` and `DELETE` of `/streams`: the owner's side, and the public list. */

import { parseVideoId } from '../../lib/domain/ids.ts';
import { requireOwner } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { deleteStream, listStreams, showStream } from '../../lib/pipeline/streams.ts';
import { type HttpEvent, json, keyedHandler } from '../runtime/middleware.ts';
import { keyOf } from '../runtime/request-key.ts';

const requireOwnerOf = async (deps: Deps, event: HttpEvent): Promise<void> =>
  requireOwner(deps, keyOf(event));

/** Without a key those that are listed; a CDN may keep that answer for all. */
export const listStreamsHandler = (deps: Deps) =>
  keyedHandler(
    async (event) => {
      const isOwner = keyOf(event) !== undefined;
      if (isOwner) await requireOwnerOf(deps, event);
      return isOwner;
    },
    async (_event, isOwner) => {
      const streams = await listStreams(deps, isOwner);
      const caching = isOwner ? 'no-store' : 'public, max-age=2';
      return json(200, { streams }, { 'cache-control': caching, vary: 'authorization' });
    },
  );

export const getStreamHandler = (deps: Deps) =>
  keyedHandler(
    (event) => requireOwnerOf(deps, event),
    async (event) => {
      return json(200, await showStream(deps, parseVideoId(event.pathParameters?.videoId)));
    },
  );

export const deleteStreamHandler = (deps: Deps) =>
  keyedHandler(
    (event) => requireOwnerOf(deps, event),
    async (event) => {
      await deleteStream(deps, parseVideoId(event.pathParameters?.videoId));
      return { statusCode: 204 };
    },
  );
