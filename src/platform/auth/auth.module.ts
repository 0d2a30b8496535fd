import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Environment } from '../config';
import { AuthGuard } from './auth.guard';
import { DevTokenController } from './dev-token.controller';
import { issuesDevTokens } from './issues-dev-tokens';
import { OptionalAuthGuard } from './optional-auth.guard';
import { TokenVerifier } from './token.verifier';

const guards = [TokenVerifier, OptionalAuthGuard, AuthGuard];

/** Authenticates callers; the dev-token route is mounted only outside production. */
@Global()
@Module({ providers: guards, exports: guards })
export class AuthModule {
  static register(environment: Environment): DynamicModule {
    return {
      module: AuthModule,
      controllers: issuesDevTokens(environment) ? [DevTokenController] : [],
    };
  }
}
