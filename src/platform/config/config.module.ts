import { Global, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService, registerAs } from '@nestjs/config';
import { Environment, readEnvironment } from './environment';

const environment = registerAs('webook', () => readEnvironment(process.env));

/** Provides the validated `Environment` to the whole program. */
@Global()
@Module({
  imports: [NestConfigModule.forRoot({ ignoreEnvFile: true, load: [environment], cache: true })],
  providers: [
    {
      provide: Environment,
      inject: [ConfigService],
      useFactory: (config: ConfigService) => config.getOrThrow<Environment>('webook'),
    },
  ],
  exports: [Environment],
})
export class ConfigModule {}
