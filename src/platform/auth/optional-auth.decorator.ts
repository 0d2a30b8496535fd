import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import { ApiProblem } from '../http';
import { OptionalAuthGuard } from './optional-auth.guard';

/** The route needs no token; `@CurrentUser()` is null for an anonymous caller. */
export function OptionalAuth(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    UseGuards(OptionalAuthGuard),
    ApiBearerAuth(),
    // In OpenAPI, an empty security requirement means that the token is optional.
    ApiSecurity({}),
    ApiProblem(401, '`UNAUTHORIZED`: a token was given and is not valid'),
  );
}
