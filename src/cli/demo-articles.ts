/** Titles of the demo's articles, the most popular first. */
export const DEMO_TITLES = [
  'Why your cache is lying to you, and how to catch it',
  'A binlog is a diary: reading MySQL’s mind',
  'Ten thousand likes a second on one row',
  'Exactly once is a place, not a protocol',
  'The heap that could not count backwards',
  'Follow graphs for people who hate graphs',
  'Offsets, fences and other ways to sleep at night',
  'What the slow query log wanted to tell you',
  'Keyset pagination: the end of page 4,000',
  'Hot keys, cold coffee: a Tuesday in production',
  'Lua in Redis: one script, no races',
  'How we deleted our distributed lock',
  'The index that made the query slower',
  'Group commit, or how to queue politely',
  'Soft deletes and hard feelings',
  'A partition key is a promise',
  'Three partitions, one topic and a lost afternoon',
  'Server-sent events are all you need',
  'Bloom filters: being certain about no',
  'Counting followers without counting',
  'Graceful shutdown, explained to my past self',
  'Poison messages and the art of moving on',
  'What happens after COMMIT',
  'Reading history: privacy by DELETE',
  'My first article, please be kind',
] as const;

/** The content of the article with this title. */
export function demoContent(title: string): string {
  return [
    `${title}. It began, as these things do, with a graph that went up when it should have gone down.`,
    'We looked at the code first and at the data second, which was the wrong order. The data knew: ' +
      'every change was there, in the order in which it had happened, and all we had to do was to ' +
      'read it from the beginning.',
    'What follows is what we changed, what we measured before and after, and what we would do ' +
      'again. The short version: write the truth once, derive the rest, and be able to prove it.',
  ].join('\n\n');
}
