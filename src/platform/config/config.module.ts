import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService, registerAs } from '@nestjs/config';
import { Environment, readEnvironment } from './environment';

/**
 * The validated environment variables of this process.
 * @throws InvalidEnvironmentError naming every wrong variable
 */
export const processEnvironment = (): Environment => readEnvironment(process.env);

/** Provides the validated `Environment` to the whole program. */
@Global()
@Module({})
export class ConfigModule {
  static register(environment: Environment): DynamicModule {
    const load = [registerAs('webook', () => environment)];
    return {
      module: ConfigModule,
      imports: [NestConfigModule.forRoot({ ignoreEnvFile: true, ignoreEnvVars: true, load })],
      providers: [
        {
          provide: Environment,
          inject: [ConfigService],
          useFactory: (config: ConfigService) => config.getOrThrow<Environment>('webook'),
        },
      ],
      exports: [Environment],
    };
  }
}
