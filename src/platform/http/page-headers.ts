/**
 * Headers of an HTML page: nobody may frame it, and no link of it tells where it led from.
 * @param sources directives of a content security policy: where what the page loads may come from
 */
export function pageHeaders(sources: string): Record<string, string> {
  return {
    'content-security-policy': `${sources}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  };
}
