import { DeadLetters } from '../messaging';
import { type Command, UsageError } from './command';

const LIMIT = 20;
/** Characters of a message that the list shows. */
const SHOWN = 200;

/** Lists messages that could not be handled, or publishes one again. */
export const deadLetters: Command = {
  name: 'dead-letters',
  usage: '<topic> [--republish <offset>]',
  summary: "Lists a topic's newest dead letters, or publishes one of them again",
  async run({ args, app, print }) {
    const [topic, flag, offset, ...rest] = args;
    if (!topic || rest.length > 0 || (flag !== undefined && flag !== '--republish'))
      throw new UsageError('dead-letters takes a topic, e.g. article_read_event');
    const letters = (await app()).get(DeadLetters);
    if (flag === '--republish') {
      if (offset === undefined || !/^\d{1,16}$/.test(offset))
        throw new UsageError('--republish takes the offset of a dead letter');
      const found = await letters.republish(topic, Number(offset));
      print(found ? `published again to ${topic}` : `${topic} has no dead letter ${offset}`);
      return found ? 0 : 1;
    }
    const list = await letters.list(topic, LIMIT);
    for (const letter of list)
      print(
        `${letter.offset}  ${new Date(letter.at).toISOString()}  ${letter.topic}/${letter.partition} offset ${letter.originalOffset}, group ${letter.group}: ${letter.reason}\n    ${letter.value.toString('utf8').slice(0, SHOWN)}`,
      );
    if (list.length === 0) print(`${topic} has no dead letters`);
    return 0;
  },
};
