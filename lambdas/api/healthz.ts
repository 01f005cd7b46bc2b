/** `GET /healthz`: 200 when every part answers. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { checkHealth } from '../../lib/pipeline/upkeep/health.ts';
import { apiHandler, json } from '../runtime/middleware.ts';

export const healthzHandler = (deps: Deps) =>
  apiHandler(async () => {
    const health = await checkHealth(deps);
    return json(health.ready ? 200 : 503, health);
  });
