/** The timer that has all streams checked for what has expired; on AWS a schedule does it. */

import { reportError } from '../../lib/base/log.ts';
import { RETENTION_INTERVAL_HOURS } from '../../lib/domain/retention/retention.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { sendDelayed } from '../../lib/pipeline/messages.ts';

/** At once, and then regularly. Returns what ends it. */
export function startRetentionChecks(deps: Pick<Deps, 'queues'>): () => void {
  const check = (): void => {
    sendDelayed(deps, { type: 'retention' }, 0).catch((error) =>
      reportError(error, 'requesting the check for retention'),
    );
  };
  check();
  const timer = setInterval(check, RETENTION_INTERVAL_HOURS * 3_600_000);
  return () => clearInterval(timer);
}
