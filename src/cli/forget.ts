import { EventLog } from '../messaging';
import { type Command, UsageError } from './command';

/** For a subscriber that is gone for good: the log would keep for it what it has not read. */
export const forget: Command = {
  name: 'forget',
  usage: '<group> <topic>',
  summary: 'Removes a consumer group without members from the log',
  async run({ args, app, print }) {
    const [group, topic, ...rest] = args;
    if (!group || !topic || rest.length > 0)
      throw new UsageError('forget takes a group and a topic');
    const log = (await app()).get(EventLog);
    if ((await log.partitionsOf(topic)) === 0) {
      print(`there is no topic ${topic}`);
      return 1;
    }
    await log.forget(group, topic);
    print(`${topic} keeps nothing for ${group} any more`);
    return 0;
  },
};
