import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Environment } from '../config';
import { Database } from './database';
import { dataSourceOptions } from './data-source-options';

/** TypeORM for migrations and the plain entities, `Database` for the hot statements. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Environment],
      useFactory: (environment: Environment) => ({
        ...dataSourceOptions(environment.MYSQL_URL),
        autoLoadEntities: true,
        migrationsRun: false,
        retryAttempts: 0,
        manualInitialization: false,
      }),
    }),
  ],
  providers: [Database],
  exports: [Database, TypeOrmModule],
})
export class DatabaseModule {}
