import { serverTimeHandler } from '../api/server-time.ts';
import { apiFunction } from '../runtime/entries.ts';

export const handler = apiFunction(serverTimeHandler, {});
