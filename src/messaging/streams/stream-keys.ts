import { randomUUID } from 'node:crypto';

/** Where a partition stands in Redis; the hash tag keeps all of it on one slot. */
export const streamKeys = (topic: string, partition: number) => {
  const tag = `mq:{${topic}:${partition}}`;
  return {
    /** The stream; entry ids are `<offset of the last message>-1`, since Redis refuses 0-0. */
    stream: tag,
    /** Text of the offset that the next message gets. */
    next: `${tag}:next`,
    /** Text of the run id of the Redis that took the last append. */
    run: `${tag}:run`,
    /** Hash of where offsets were left out: the first left out -> the one that came in its place. */
    gaps: `${tag}:gaps`,
    /** Text of the number of the producer's last append; expires an hour after it. */
    producer: (id: string) => `${tag}:producer:${id}`,
    /** Hash of group -> the offset at which it goes on. */
    groups: `${tag}:groups`,
    /** Which member of the group reads the partition; expires when that member is gone. */
    lease: (group: string) => `${tag}:lease:${group}`,
  };
};

/** Text that names this log; gone, like the log, when Redis loses its data. */
export const LOG_ID_KEY = 'mq:log-id';
export const newLogId = (): string => `streams:${randomUUID()}`;

/** Text of the topic's number of partitions. */
export const partitionsKey = (topic: string): string => `mq:{${topic}}:partitions`;

/** Sorted set of the group's members by the time in ms at which they were last seen. */
export const membersKey = (topic: string, group: string): string =>
  `mq:{${topic}}:members:${group}`;
