import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Environment } from '../platform/config';
import type { EventLog } from './event-log';
import { defineTopic } from './topic';
import { TopicProvisioner } from './topic-provisioner';

const topic = defineTopic<object>({
  name: 'webook_binlog',
  partitions: 3,
  acks: 'all',
  key: () => '',
  schema: {},
});

describe('TopicProvisioner', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'webook-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const check = (properties: string, path = join(folder, 'instance.properties')): void => {
    writeFileSync(join(folder, 'instance.properties'), properties);
    const environment = Object.assign(new Environment(), { CANAL_PROPERTIES: path });
    new TopicProvisioner(undefined as unknown as EventLog, environment).checkAgainstCanal(topic);
  };

  it('accepts settings of Canal that agree with the contract', () => {
    check('canal.mq.topic=webook_binlog\ncanal.mq.partitionsNum=3\n');
  });

  it('refuses settings that contradict the contract, and names both numbers', () => {
    expect(() => check('canal.mq.topic=webook_binlog\ncanal.mq.partitionsNum = 5\n')).toThrow(
      /webook_binlog has 3 partitions by its contract, but Canal hashes to 5/,
    );
    expect(() => check('canal.mq.topic=webook_binlog\n#canal.mq.partitionsNum=3\n')).toThrow(
      /Canal hashes to 1/,
    );
  });

  it('accepts any settings of a Canal that sends to another topic', () => {
    check('canal.mq.topic=other\ncanal.mq.partitionsNum=5\n');
  });

  it('names a file that does not exist', () => {
    expect(() => check('', join(folder, 'absent.properties'))).toThrow(/absent\.properties/);
  });
});
