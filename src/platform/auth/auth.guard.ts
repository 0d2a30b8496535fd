import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { UnauthorizedError } from './auth.errors';
import { OptionalAuthGuard } from './optional-auth.guard';

/** Lets only requests with a valid token through. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly optional: OptionalAuthGuard) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const { authorization } = context
      .switchToHttp()
      .getRequest<{ headers: { authorization?: string } }>().headers;
    if (authorization === undefined)
      throw new UnauthorizedError('a bearer token is needed in the Authorization header');
    return this.optional.canActivate(context);
  }
}
