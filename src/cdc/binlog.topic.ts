import { Subject } from 'rxjs';
import { BadMessageError, MAX_MESSAGE_BYTES, type Topic } from '../messaging';
import { decodeFlat } from './canal/canal-flat';
import { decodeProtobuf, encodeProtobuf } from './canal/canal-protobuf';
import type { RowChange } from './row-change';

/** Canal's own limit is its producer's max.request.size, a little above ours. */
const MAX_BYTES = MAX_MESSAGE_BYTES + 48_576;

const OPENING_BRACE = 0x7b;

/** Why a message could not be decoded: it goes to the dead letters, and its changes are missing. */
export const unreadableMessages$ = new Subject<string>();

function decode(value: Buffer): RowChange[] {
  if (value.length > MAX_BYTES)
    throw new BadMessageError(`${value.length} bytes, more than ${MAX_BYTES}`);
  if (value.length === 0) throw new BadMessageError('an empty message');
  return value[0] === OPENING_BRACE ? decodeFlat(value) : decodeProtobuf(value);
}

/**
 * The captured row changes, in either of Canal's forms: flat JSON begins with a brace, which no
 * protobuf packet does. Written by Canal or the relay, which pick partitions by `partitionOf`.
 */
export const binlogTopic: Topic<RowChange[]> = {
  name: 'webook_binlog',
  partitions: 3,
  acks: 'all',
  keyOf: ([change]) => (change ? `${change.database}.${change.table}` : ''),
  encode: (changes) =>
    encodeProtobuf(
      changes.map(({ before, after, ordinal, position, ...change }) => ({
        ...change,
        position: position ?? { serverId: 0, file: '', offset: 0 },
        rows: before || after ? [{ ordinal, before, after }] : [],
      })),
    ),
  decode(value) {
    try {
      return decode(value);
    } catch (error) {
      unreadableMessages$.next(`a message of change capture is unreadable: ${String(error)}`);
      throw error;
    }
  },
};
