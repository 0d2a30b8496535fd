import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Environment } from '../platform/config';
import { HealthRegistry } from '../platform/health';
import { DeadLetters } from './dead-letters';
import { EventLog } from './event-log';
import { EventPublisher } from './event-publisher';
import { KafkaEventLog } from './kafka/kafka-event-log';
import { LogServer } from './log.server';
import { MessagingMetrics } from './messaging.metrics';
import { OffsetFence } from './offset-fence';
import { StreamsEventLog } from './streams/streams-event-log';
import { TopicProvisioner } from './topic-provisioner';

/** The event log on the engine that `MQ_ENGINE` names. */
export function createEventLog(environment: Environment): EventLog {
  switch (environment.MQ_ENGINE) {
    case 'kafka':
      return new KafkaEventLog((environment.KAFKA_BROKERS ?? '').split(','));
    case 'streams':
      return new StreamsEventLog(environment.REDIS_URL);
  }
}

@Global()
@Module({
  providers: [
    { provide: EventLog, inject: [Environment], useFactory: createEventLog },
    TopicProvisioner,
    EventPublisher,
    OffsetFence,
    DeadLetters,
    MessagingMetrics,
    LogServer,
  ],
  exports: [EventLog, TopicProvisioner, EventPublisher, OffsetFence, DeadLetters, LogServer],
})
export class MessagingModule implements OnApplicationShutdown {
  constructor(
    @Inject(EventLog) private readonly log: EventLog,
    provisioner: TopicProvisioner,
    { waits }: MessagingMetrics,
    health: HealthRegistry,
  ) {
    health.add('log', async () => {
      await this.log.check();
      await provisioner.ready();
    });
    health.add('consumers', async () => waits.check());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.log.close();
  }
}
