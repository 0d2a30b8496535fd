import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { Environment } from '../config';
import { AuthGuard } from './auth.guard';
import { DevTokenController } from './dev-token.controller';
import { handsOutTokens } from './hands-out-tokens';
import { OptionalAuthGuard } from './optional-auth.guard';
import { TokenVerifier } from './token.verifier';

const guards = [TokenVerifier, OptionalAuthGuard, AuthGuard];

/** Who is calling; the dev-token route is mounted outside production only. */
@Global()
@Module({ providers: guards, exports: guards })
export class AuthModule {
  static register(environment: Environment): DynamicModule {
    return {
      module: AuthModule,
      controllers: handsOutTokens(environment) ? [DevTokenController] : [],
    };
  }
}
