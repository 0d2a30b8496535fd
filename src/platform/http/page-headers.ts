/**
 * Headers of an HTML page: no other page may frame it, and its links send no referrer.
 * @param sources directives of a content security policy: where the page may load resources from
 */
export function pageHeaders(sources: string): Record<string, string> {
  return {
    'content-security-policy': `${sources}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  };
}
