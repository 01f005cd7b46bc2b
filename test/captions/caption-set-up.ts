/** A stream with captions on an embedded engine, by the calls of its API. */

import type { Context } from 'aws-lambda';
import { removeCaptionsHandler } from '../../lambdas/api/captions.ts';
import { uploadHandler } from '../../lambdas/api/upload.ts';
import { viewCaptionsHandler } from '../../lambdas/api/view-captions.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import type { StreamSettings } from '../../lib/domain/stream.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { OWNER_KEY, START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, settle } from '../support/outcomes.ts';
import type { Scope } from '../support/system.ts';

/** A file of two cues, with a style and a position. */
export const FILE = `WEBVTT

STYLE
::cue { color: yellow }

00:01.000 --> 00:02.500 line:0
Guten Tag

00:03.000 --> 00:06.000
Was geht hier vor?
`;

/** As it stands in front of the cues. */
export const STYLE = 'STYLE\n::cue { color: yellow }\n\n';

type Query = Readonly<Record<string, string>>;

/** Segments of four seconds, the first at 10 s of the timeline's clock and `START_MS` of the wall clock. */
export async function captionedStream(
  t: Scope,
  settings: Partial<StreamSettings> = {},
  longEntries?: number,
) {
  const plain = await testEngine(t);
  const deps = { ...plain.deps, ...(longEntries !== undefined && { longEntries }) };
  const engine = { ...plain, deps };
  const { records } = engine;
  const made = newStream('show', START_MS);
  const own = { targetDurationSeconds: 4, dvrWindowSeconds: null, ...settings };
  const stream = { ...made, uid: 'u1', settings: { ...made.settings, ...own } };
  await records.createStream(stream);
  const viewer = createViewer(deps);
  const handlers = {
    POST: uploadHandler(deps),
    GET: viewCaptionsHandler(deps),
    DELETE: removeCaptionsHandler(deps),
  };

  async function call(
    method: keyof typeof handlers,
    parameters: Query,
    query: Query = {},
    body = '',
  ) {
    const event = {
      headers: { authorization: `Bearer ${OWNER_KEY}` },
      requestContext: { http: { method } },
      pathParameters: { videoId: 'show', ...parameters },
      queryStringParameters: query,
      body,
      isBase64Encoded: false,
    };
    const answer = await handlers[method](event as unknown as HttpEvent, {} as Context);
    const options = { max: 10, leaseMs: 1000, waitMs: 0 };
    for (const { body: message, receipt } of await deps.queues.publish.receive(options)) {
      await publishStream(deps, publishRequest.parse(JSON.parse(message)));
      await deps.queues.publish.acknowledge([receipt]);
    }
    return { status: answer.statusCode, text: answer.body ?? '', headers: answer.headers };
  }

  const send = async (body: string | object, query: Query = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await call('POST', {}, { kind: 'captions', lang: 'de', ...query }, text);
    return { status: answer.status, ...JSON.parse(answer.text) };
  };
  const upload = async (number: number, run = 1): Promise<void> => {
    await acknowledge(engine, stream, run, number);
    await settle(engine, stream, run, number);
  };
  const playlist = async (rendition = 'captions-de', view: 'live' | 'vod' = 'live') =>
    (await viewer.media('show', rendition, view)).document.text;
  /** By its address in a playlist. */
  const segment = async (uri: string) => {
    const [track = '', file = ''] = uri.split('/').slice(-2);
    return call('GET', { track, file });
  };
  /** All that a playlist lists. */
  const segments = async (rendition = 'captions-de', view: 'live' | 'vod' = 'live') => {
    const uris = (await playlist(rendition, view)).match(/^\/viewstream.*$/gm) ?? [];
    const texts: string[] = [];
    for (const uri of uris) texts.push((await segment(uri)).text);
    return texts;
  };
  const file = async (name: string) => call('GET', { file: name });
  const remove = async (track: string) => (await call('DELETE', { track })).status;
  return {
    ...{ engine, stream, viewer, send, upload, playlist, segment, segments, file, remove },
  };
}
