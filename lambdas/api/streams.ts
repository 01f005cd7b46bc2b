/** `GET` and `DELETE` of `/streams`: the owner's side. */

import { parseVideoId } from '../../lib/domain/ids.ts';
import { credentialOf, requireOwner } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { deleteStream, listStreams, showStream } from '../../lib/pipeline/streams.ts';
import { apiHandler, type HttpEvent, json } from '../runtime/middleware.ts';

const requireOwnerOf = (deps: Deps, event: HttpEvent): void =>
  requireOwner(deps, credentialOf(event.headers.authorization));

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
