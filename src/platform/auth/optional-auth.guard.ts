import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { AuthenticatedRequest } from './authenticated-request';
import { TokenVerifier } from './token.verifier';

/** Lets anonymous requests and those with a valid token through; a wrong token is not ignored. */
@Injectable()
export class OptionalAuthGuard implements CanActivate {
  constructor(private readonly tokens: TokenVerifier) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { authorization } = request.headers;
    if (authorization === undefined) {
      request.userId = null;
      return true;
    }
    const userId = this.tokens.verify(authorization);
    // A token that was seen lately costs no promise.
    if (typeof userId === 'number') {
      request.userId = userId;
      return true;
    }
    return userId.then((verified) => {
      request.userId = verified;
      return true;
    });
  }
}
