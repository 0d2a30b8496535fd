/** As stored in the database, which other programs read by SQL. */
export const ArticleStatus = { Draft: 1, Published: 2, Withdrawn: 3 } as const;
export type ArticleStatus = (typeof ArticleStatus)[keyof typeof ArticleStatus];

export const STATUS_NAMES = ['draft', 'published', 'withdrawn'] as const;
export type StatusName = (typeof STATUS_NAMES)[number];

/** The status as the API names it. An unknown one, from another program, counts as a draft. */
export function statusName(status: number): StatusName {
  return STATUS_NAMES[status - 1] ?? 'draft';
}
