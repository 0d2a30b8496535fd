import { join } from 'node:path';

/** The build under test: `dist/`, or the one that WEBOOK_DIST names. */
export const dist = process.env.WEBOOK_DIST ?? join(__dirname, '../../dist');
