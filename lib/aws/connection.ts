/** What all clients of AWS have in common: where they connect, how long they wait, when they try again. */

export type AwsConnection = Readonly<{
  region: string;
  /** Instead of AWS itself: an emulator, as `http://127.0.0.1:4566`. */
  endpoint?: string;
  /** Instead of those that the environment or the role gives. */
  credentials?: Readonly<{ accessKeyId: string; secretAccessKey: string }>;
}>;

export type Timeouts = Readonly<{
  /** From the request's start to the answer's head. */
  requestMs: number;
  /** Without a byte in either direction. */
  idleMs: number;
}>;

/** Requests of a few kilobytes; an answer that takes so long was lost. */
export const CALL_TIMEOUTS: Timeouts = { requestMs: 5_000, idleMs: 5_000 };

const CONNECT_MS = 2_000;
const MAX_ATTEMPTS = 8;
/** The clients' own limit of 50 would hold uploads back that could go at once. */
const MAX_SOCKETS = 200;

/**
 * Options of an SDK client. Not its adaptive retries: a client that made few calls before it was
 * throttled waits exactly two seconds then, without any jitter, and so do all others (measured).
 */
export function clientOptions(connection: AwsConnection, timeouts: Timeouts) {
  const { region, endpoint, credentials } = connection;
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    retryMode: 'standard',
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: timeouts.requestMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeouts.idleMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}
