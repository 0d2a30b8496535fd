import { EventLog } from '../messaging';
import { type Command, UsageError } from './command';

/** A stopped consumer group reads a topic again; what it has counted is not counted twice. */
export const rewind: Command = {
  name: 'rewind',
  usage: '<group> <topic> [<offset>]',
  summary: 'Makes a stopped consumer group read a topic again, from an offset (default: 0)',
  async run({ args, app, print }) {
    const [group, topic, offset = '0', ...rest] = args;
    if (!group || !topic || rest.length > 0 || !/^\d{1,16}$/.test(offset))
      throw new UsageError('rewind needs a group and a topic, and takes an offset');
    const log = (await app()).get(EventLog);
    const partitions = await log.partitionsOf(topic);
    if (partitions === 0) {
      print(`Topic ${topic} does not exist`);
      return 1;
    }
    await log.rewind(
      group,
      topic,
      Array.from({ length: partitions }, () => Number(offset)),
    );
    print(
      `Group ${group} will read ${topic} from offset ${offset} in each of its ${partitions} partitions`,
    );
    return 0;
  },
};
