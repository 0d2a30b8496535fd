import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import { ApiProblem } from '../http';
import { OptionalAuthGuard } from './optional-auth.guard';

/** The route is open to all; `@CurrentUser()` is null for an anonymous caller. */
export function OptionalAuth(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    UseGuards(OptionalAuthGuard),
    ApiBearerAuth(),
    // OpenAPI's way of saying that no token will do as well.
    ApiSecurity({}),
    ApiProblem(401, '`UNAUTHORIZED`: a token was given and is not valid'),
  );
}
