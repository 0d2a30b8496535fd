import { Global, Module } from '@nestjs/common';
import { HealthRegistry } from '../health';
import { Database } from './database';

/** MySQL. TypeORM is there for the migrations and the plain entities that say what they make. */
@Global()
@Module({ providers: [Database], exports: [Database] })
export class DatabaseModule {
  constructor(health: HealthRegistry, database: Database) {
    health.add('mysql', () => database.check());
  }
}
