import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { ApiProblem } from '../http';
import { AuthGuard } from './auth.guard';

/** The route (or each route of the controller) needs a signed-in user: `@CurrentUser()`. */
export function Auth(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    UseGuards(AuthGuard),
    ApiBearerAuth(),
    ApiProblem(401, '`UNAUTHORIZED`: no valid token'),
  );
}
