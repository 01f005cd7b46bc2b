/** `/clips/{videoId}`: the clips that the owner keeps. They are read without a key. */

import { savedClipSchema } from '../../lib/api/clips.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { getStream, requireOwner } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { clipView, forgetClip, listClips, saveClip } from '../../lib/pipeline/saved-clips.ts';
import { apiHandler, type HttpEvent, json, keyedHandler } from '../runtime/middleware.ts';
import { parseBody } from '../runtime/request-body.ts';
import { keyOf } from '../runtime/request-key.ts';

const streamOf = async (deps: Deps, event: HttpEvent): Promise<Stream> =>
  (await getStream(deps, parseVideoId(event.pathParameters?.videoId))).value;

export const listClipsHandler = (deps: Deps) =>
  apiHandler(async (event) => {
    const stream = await streamOf(deps, event);
    const clips = await listClips(deps, stream);
    const views = clips.map((clip) => clipView(stream, clip));
    return json(200, { clips: views }, { 'cache-control': 'public, max-age=2' });
  });

export const saveClipHandler = (deps: Deps) =>
  keyedHandler(
    async (event) => requireOwner(deps, keyOf(event)),
    async (event) => {
      const stream = await streamOf(deps, event);
      const clip = await saveClip(deps, stream, parseBody(savedClipSchema, event));
      return json(201, clipView(stream, clip));
    },
  );

export const removeClipHandler = (deps: Deps) =>
  keyedHandler(
    async (event) => requireOwner(deps, keyOf(event)),
    async (event) => {
      const stream = await streamOf(deps, event);
      await forgetClip(deps, stream, event.pathParameters?.clipId ?? '');
      return { statusCode: 204 };
    },
  );
