import { pushDeleteHandler } from '../api/upload.ts';
import { observedApi } from '../observability.ts';
import { readOwnerKey } from './owner-key.ts';
import { functionDeps, streamIndex } from './ports.ts';

const ownerKey = await readOwnerKey();
const deps = functionDeps({ index: streamIndex(), ownerKey });

export const handler = observedApi(pushDeleteHandler(deps), ownerKey.refresh);
