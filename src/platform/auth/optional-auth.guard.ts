import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { AuthenticatedRequest } from './authenticated-request';
import { TokenVerifier } from './token.verifier';

/** Allows anonymous requests and those with a valid token; refuses those with a wrong token. */
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
    // A cached token costs no promise.
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
