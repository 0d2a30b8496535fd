import { Global, Module } from '@nestjs/common';
import { VerificationRegistry } from './verification.registry';

@Global()
@Module({ providers: [VerificationRegistry], exports: [VerificationRegistry] })
export class VerificationModule {}
