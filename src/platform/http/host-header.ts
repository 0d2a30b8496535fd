import type { IncomingMessage } from 'node:http';

/** RFC 3986: a name, an IPv4 or a bracketed IPv6 address, perhaps with a port. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/**
 * What is wrong with the Host header (RFC 9112, 3.2), or null. Node keeps the first of several, where
 * a proxy may have taken another one.
 */
export function hostFault({ headers, rawHeaders, httpVersion }: IncomingMessage): string | null {
  const { host } = headers;
  if (host === undefined) return httpVersion === '1.1' ? 'the Host header is missing' : null;
  if (!HOST.test(host)) return 'the Host header is not the name of a host';
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count === 1 ? null : 'there are several Host headers';
}
