import { pushDeleteHandler } from '../api/upload-end.ts';
import { observedApi } from '../observability.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, streamIndex } from './ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({ index: streamIndex(), ownerKey });

export const handler = observedApi(pushDeleteHandler(deps), ownerKey.refresh);
