import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ArticleModule } from './article';
import { capturedTables } from './captured-tables';
import { CdcModule } from './cdc';
import { HistoryModule } from './history';
import { InteractiveModule, ReadsModule } from './interactive';
import { MessagingModule } from './messaging';
import { AuthModule } from './platform/auth';
import { ConfigModule, type Environment } from './platform/config';
import { DatabaseModule } from './platform/database';
import { HealthModule } from './platform/health';
import { MetricsModule } from './platform/metrics';
import { RedisModule } from './platform/redis';
import { VerificationModule } from './platform/verification';
import { RankingModule } from './ranking';
import { ReaderModule } from './reader';

/** The whole program; what runs in the background of it is decided by `ROLE`. */
@Module({})
export class AppModule {
  static register(environment: Environment): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(environment),
        HealthModule,
        MetricsModule,
        DatabaseModule,
        RedisModule,
        VerificationModule,
        AuthModule.register(environment),
        ScheduleModule.forRoot(),
        MessagingModule,
        CdcModule.register(capturedTables),
        ArticleModule,
        ReaderModule,
        InteractiveModule,
        ReadsModule.register(environment),
        HistoryModule,
        RankingModule,
      ],
    };
  }
}
