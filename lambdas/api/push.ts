/** `PUT` and `POST /upload/{videoId}/{name}`: the files of encoders that push HLS. */

import { defined } from '../../lib/base/defined.ts';
import { parseDigest, parseLanguage, parseSession } from '../../lib/domain/ids.ts';
import { normalLanguage, UNDETERMINED } from '../../lib/domain/languages/language.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { pushFile } from '../../lib/pipeline/ingest/push.ts';
import { bodyBytes, type HttpEvent, json, keyedHandler, parameter } from '../runtime/middleware.ts';
import { fileName, openStream } from './upload-request.ts';

/** Of captions. */
function languageOf(event: HttpEvent): string | undefined {
  const language = normalLanguage(parseLanguage(parameter(event, 'lang')));
  return language === UNDETERMINED ? undefined : language;
}

export const pushHandler = (deps: Deps) =>
  keyedHandler(
    (event) => openStream(deps, event),
    async (event, stream) => {
      const name = fileName(event);
      const session = parseSession(parameter(event, 'session'));
      const digest = parseDigest(parameter(event, 'digest'));
      const language = stream.value.track === undefined ? languageOf(event) : undefined;
      const file = { name, bytes: bodyBytes(event), ...defined({ session, digest, language }) };
      const result = await pushFile(deps, stream, file);
      if (!result) return { statusCode: 204 };
      if ('ignored' in result) return json(200, result);
      return json(result.isNew ? 201 : 200, result.receipt);
    },
  );
