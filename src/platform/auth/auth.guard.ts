import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { UnauthorizedError } from './auth.errors';
import { OptionalAuthGuard } from './optional-auth.guard';

/** Allows only requests with a valid token. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly optional: OptionalAuthGuard) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const { authorization } = context
      .switchToHttp()
      .getRequest<{ headers: { authorization?: string } }>().headers;
    if (authorization === undefined)
      throw new UnauthorizedError('the Authorization header must hold a bearer token');
    return this.optional.canActivate(context);
  }
}
