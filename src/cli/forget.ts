import { EventLog } from '../messaging';
import { type Command, UsageError } from './command';

/** For an unused group: the log would keep all messages that it has not read. */
export const forget: Command = {
  name: 'forget',
  usage: '<group> <topic>',
  summary: 'Deletes a consumer group that is no longer used, so that no messages are kept for it',
  async run({ args, app, print }) {
    const [group, topic, ...rest] = args;
    if (!group || !topic || rest.length > 0)
      throw new UsageError('forget needs a group and a topic');
    const log = (await app()).get(EventLog);
    if ((await log.partitionsOf(topic)) === 0) {
      print(`Topic ${topic} does not exist`);
      return 1;
    }
    await log.forget(group, topic);
    print(`Deleted group ${group}: no messages of ${topic} are kept for it`);
    return 0;
  },
};
