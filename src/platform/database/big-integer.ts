/** A BIGINT as the driver returns it: text beyond 2^53, where a number would lose digits. */
export type BigInteger = number | string;

/** The limit of a BIGINT column, for SQL: as a number it would lose digits. */
export const MAX_BIGINT = '9223372036854775807';
