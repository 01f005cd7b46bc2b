/** Of a route whose only right key is `right`. */

import type { LambdaRoute } from '../../lib/embedded/gateway.ts';

export const refusalOfWrongKeys: NonNullable<LambdaRoute['refusal']> = async ({ headers }) => {
  const { authorization } = headers;
  if (authorization === 'Bearer right') return undefined;
  const isWrongKey = authorization !== undefined;
  return { answer: { statusCode: isWrongKey ? 403 : 401 }, isWrongKey };
};
