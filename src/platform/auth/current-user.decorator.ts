import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest } from './authenticated-request';

/** The caller's user id: a number under `@Auth()`, a number or null under `@OptionalAuth()`. */
export const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): number | null =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().userId,
);
