/** What the gateway gives to one client and to all together. */

export type GatewayLimits = Readonly<{
  /** Of one request: larger bodies do not fit into a function's event. */
  bodyBytes: number;
  /** Of a request that asks for something: none of ours has a body. */
  queryBodyBytes: number;
  /** Of all bodies in memory. Beyond it no further one is begun; those that were go on. */
  allBodiesBytes: number;
  /** A body has to come at this rate on average, after a while. */
  minBytesPerSecond: number;
  rateGraceMs: number;
  /**
   * What a refused client may still send, so that it reads the answer, and how many may at once. One
   * that sends nothing for `drainIdleMs` waits for the end of the answer.
   */
  drainBytes: number;
  drainMs: number;
  drainIdleMs: number;
  drains: number;
  /** From the first byte of a request, or from the connection, to the end of its headers. */
  headersMs: number;
  headerBytes: number;
  headers: number;
  /** A connection without traffic; longer than any handler may take. */
  idleMs: number;
  connections: number;
  /** From so many connections on, none is kept alive: what is free is for those who come to watch. */
  crowdedConnections: number;
}>;

const MIB = 1024 * 1024;

export const GATEWAY_LIMITS: GatewayLimits = {
  bodyBytes: 6 * MIB,
  queryBodyBytes: 64 * 1024,
  allBodiesBytes: 256 * MIB,
  minBytesPerSecond: 4096,
  rateGraceMs: 20_000,
  drainBytes: 64 * MIB,
  drainMs: 10_000,
  drainIdleMs: 2_000,
  drains: 64,
  headersMs: 20_000,
  headerBytes: 16 * 1024,
  headers: 100,
  idleMs: 75_000,
  connections: 8192,
  crowdedConnections: 6144,
};
