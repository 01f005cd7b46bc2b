/** `GET` and `DELETE` of `/streams`: the owner's side. */

import { parseVideoId } from '../../lib/domain/ids.ts';
import { requireOwner } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { deleteStream, listStreams, showStream } from '../../lib/pipeline/streams.ts';
import { type HttpEvent, json, keyedHandler } from '../runtime/middleware.ts';
import { keyOf } from '../runtime/request-key.ts';

const requireOwnerOf = async (deps: Deps, event: HttpEvent): Promise<void> =>
  requireOwner(deps, keyOf(event));

export const listStreamsHandler = (deps: Deps) =>
  keyedHandler(
    (event) => requireOwnerOf(deps, event),
    async () => {
      return json(200, { streams: await listStreams(deps) });
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
