/** Which network a request comes from: what one person or attacker has to themselves. */

import type { IncomingHttpHeaders } from 'node:http';
import { isIP, isIPv6 } from 'node:net';

/**
 * The address of the connection, or what a proxy on this machine says of its own client. Of IPv6 the
 * first 64 bits, as every home has all addresses of such a network.
 */
export function clientAddress({
  socket,
  headers,
}: Readonly<{
  socket: Readonly<{ remoteAddress?: string | undefined }>;
  headers: IncomingHttpHeaders;
}>): string {
  const peer = plain(socket.remoteAddress ?? '');
  if (peer !== '::1' && !peer.startsWith('127.')) return network(peer);
  // Each proxy appends the address that it saw; what stands before came from the client.
  const forwarded = headers['x-forwarded-for']?.toString().split(',').at(-1)?.trim() ?? '';
  return network(isIP(forwarded) ? plain(forwarded) : peer);
}

/** IPv4 in the form of IPv6 is IPv4. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length;
  const all = [...groups, ...Array(Math.max(0, missing)).fill('0'), ...(tail?.split(':') ?? [])];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}
