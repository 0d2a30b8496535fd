import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Environment } from '../config';
import { HealthRegistry } from '../health';
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
export class DatabaseModule {
  constructor(health: HealthRegistry, dataSource: DataSource) {
    // Asked through TypeORM's small pool: a full house on the hot pool is load, not an outage.
    health.add('mysql', async () => {
      await dataSource.query('SELECT 1');
    });
  }
}
