import { randomUUID } from 'node:crypto';

/** The Redis keys of a partition; the hash tag keeps all of them in one slot. */
export const streamKeys = (topic: string, partition: number) => {
  const tag = `mq:{${topic}:${partition}}`;
  return {
    /** The stream; entry ids are `<offset of the last message>-1`, since Redis refuses 0-0. */
    stream: tag,
    /** TEXT: the offset of the next message to be appended. */
    next: `${tag}:next`,
    /** TEXT: the run id of the Redis process that took the last append. */
    run: `${tag}:run`,
    /** HASH: ranges of offsets that were left out; the first one left out -> the next one used. */
    gaps: `${tag}:gaps`,
    /** STREAM: exists only while a script writes the stream again. */
    rebuilt: `${tag}:rebuilt`,
    /** TEXT: the number of the producer's last append; expires an hour after it. */
    producer: (id: string) => `${tag}:producer:${id}`,
    /** HASH: group -> the offset of the next message that it receives. */
    groups: `${tag}:groups`,
    /** TEXT: the member of the group that reads the partition; expires when it is not renewed. */
    lease: (group: string) => `${tag}:lease:${group}`,
  };
};

/** TEXT: the id of this log. When Redis loses its data, the id is lost with the log. */
export const LOG_ID_KEY = 'mq:log-id';
export const newLogId = (): string => `streams:${randomUUID()}`;

/** TEXT: the topic's number of partitions. */
export const partitionsKey = (topic: string): string => `mq:{${topic}}:partitions`;

/** SORTED SET: the group's members, by the time in ms at which they last registered. */
export const membersKey = (topic: string, group: string): string =>
  `mq:{${topic}}:members:${group}`;
