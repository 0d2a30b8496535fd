import type { Environment } from '../config';

/** Whether anybody gets a token for any user here, by `POST /api/auth/dev-token`. */
export const handsOutTokens = ({ NODE_ENV }: Environment): boolean => NODE_ENV !== 'production';
