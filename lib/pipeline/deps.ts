/** What every step is given: the ports, and what the deployment knows of itself. */

import type { StreamSettings } from '../domain/stream.ts';
import type { Ports } from './ports.ts';

export type Deps = Ports &
  Readonly<{
    /** sha-256 of the owner key, hex. */
    ownerKeyHash: string;
    /** What streams have whose owner says nothing else; over the defaults of everybody. */
    streamDefaults?: Partial<StreamSettings>;
  }>;
