/** The owner's calls of the fake stream server: streams are made, changed, ended and removed in its table. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import type { StreamChange } from '../../lib/api/client.ts';
import type { StreamSettings, StreamView } from '../../lib/api/messages.ts';
import { defaultSettings } from '../../lib/domain/stream.ts';
import { type FakeStream, fakeStream, json, OWNER_KEY, refuse } from './fake-stream-server.ts';

export type FakeOwnerApi = Readonly<{
  answer(request: IncomingMessage, response: ServerResponse, videoId: string): Promise<void>;
}>;

export function fakeOwnerApi(
  streams: Map<string, FakeStream>,
  viewOf: (videoId: string, stream: FakeStream) => StreamView,
): FakeOwnerApi {
  const settings = new Map<string, StreamSettings>();
  let keys = 0;

  function settingsOf(videoId: string, { title, listed = false }: FakeStream): StreamSettings {
    const base = { ...defaultSettings(videoId), targetDurationSeconds: 6, holeGraceSeconds: 12 };
    const kept = { retention: null, ...settings.get(videoId) };
    return { ...base, ...kept, title, listed };
  }

  async function put(videoId: string, request: IncomingMessage): Promise<[number, object]> {
    const { newUploadKey = false, ...change } = (await readJson(request)) as StreamChange;
    const found = streams.get(videoId);
    const stream = found ?? fakeStream({ title: videoId, state: 'created' });
    const changed = { ...settingsOf(videoId, stream), ...change };
    streams.set(videoId, Object.assign(stream, { title: changed.title, listed: changed.listed }));
    settings.set(videoId, changed);
    const isKeyMade = newUploadKey || !found;
    if (isKeyMade) keys += 1;
    const uploadKey = isKeyMade ? { uploadKey: `upload-key-${keys}` } : {};
    const view = { ...viewOf(videoId, stream), settings: changed, ...uploadKey };
    return [found ? 200 : 201, view];
  }

  return {
    async answer(request, response, videoId) {
      const stream = streams.get(videoId);
      if (request.headers.authorization !== `Bearer ${OWNER_KEY}`) {
        refuse(response, 403, 'forbidden', 'This is not the owner key.');
      } else if (request.method === 'PUT') {
        json(response, ...(await put(videoId, request)));
      } else if (!stream) {
        refuse(response, 404, 'stream_not_found', `There is no stream "${videoId}".`);
      } else if (request.method === 'GET') {
        json(response, 200, {
          ...viewOf(videoId, stream),
          settings: settingsOf(videoId, stream),
        });
      } else if (request.method === 'DELETE') {
        streams.delete(videoId);
        settings.delete(videoId);
        response.writeHead(204).end();
      } else {
        Object.assign(stream, { state: 'ended', endedAtMs: Date.now() });
        json(response, 200, viewOf(videoId, stream));
      }
    },
  };
}
