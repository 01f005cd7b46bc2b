/** `/time`: the server's clock in ISO 8601, for players whose own is wrong (UTCTiming of an MPD). */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { apiHandler } from '../runtime/middleware.ts';

/** From a cache it is a second late at most; then a player asks for no segment too early. */
export const serverTimeHandler = ({ clock }: Pick<Deps, 'clock'>) =>
  apiHandler(async () => ({
    statusCode: 200,
    headers: { 'content-type': 'text/plain', 'cache-control': 'public, max-age=1' },
    body: new Date(clock.now()).toISOString(),
  }));
