import { EventLog } from '../messaging';
import { type Command, UsageError } from './command';

/** Lets a stopped consumer group read a topic once more; what it has counted stays counted once. */
export const rewind: Command = {
  name: 'rewind',
  usage: '<group> <topic> [<offset>]',
  summary: 'Sets a stopped consumer group back to an offset, 0 by default, in every partition',
  async run({ args, app, print }) {
    const [group, topic, offset = '0', ...rest] = args;
    if (!group || !topic || rest.length > 0 || !/^\d{1,16}$/.test(offset))
      throw new UsageError('rewind takes a group, a topic and perhaps an offset');
    const log = (await app()).get(EventLog);
    const partitions = await log.partitionsOf(topic);
    if (partitions === 0) {
      print(`there is no topic ${topic}`);
      return 1;
    }
    await log.rewind(
      group,
      topic,
      Array.from({ length: partitions }, () => Number(offset)),
    );
    print(`${group} reads the ${partitions} partitions of ${topic} from offset ${offset} on`);
    return 0;
  },
};
