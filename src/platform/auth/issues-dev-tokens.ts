import type { Environment } from '../config';

/** Whether `POST /api/auth/dev-token` exists, which gives any caller a token for any user. */
export const issuesDevTokens = ({ NODE_ENV }: Environment): boolean => NODE_ENV !== 'production';
