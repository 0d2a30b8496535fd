import { DeadLetters } from '../messaging';
import { type Command, UsageError } from './command';

const LISTED_LETTERS = 20;
/** The list shows at most this many characters of a message. */
const SHOWN_CHARACTERS = 200;

/** Lists messages that could not be handled, or publishes one of them again. */
export const deadLetters: Command = {
  name: 'dead-letters',
  usage: '<topic> [--republish <offset>]',
  summary: 'Lists the newest dead letters of a topic, or publishes one of them again',
  async run({ args, app, print }) {
    const [topic, flag, offset, ...rest] = args;
    if (!topic || rest.length > 0 || (flag !== undefined && flag !== '--republish'))
      throw new UsageError('dead-letters needs a topic, e.g. article_read_event');
    const letters = (await app()).get(DeadLetters);
    if (flag === '--republish') {
      if (offset === undefined || !/^\d{1,16}$/.test(offset))
        throw new UsageError('--republish needs the offset of a dead letter, as the list shows it');
      const found = await letters.republish(topic, Number(offset));
      print(
        found
          ? `Published dead letter ${offset} to ${topic} again`
          : `${topic} has no dead letter at offset ${offset}`,
      );
      return found ? 0 : 1;
    }
    const list = await letters.list(topic, LISTED_LETTERS);
    for (const letter of list)
      print(
        `${letter.offset}  ${new Date(letter.at).toISOString()}  ${letter.topic}/${letter.partition} offset ${letter.originalOffset}, group ${letter.group}: ${letter.reason}\n    ${letter.value.toString('utf8').slice(0, SHOWN_CHARACTERS)}`,
      );
    if (list.length === 0) print(`${topic} has no dead letters`);
    return 0;
  },
};
