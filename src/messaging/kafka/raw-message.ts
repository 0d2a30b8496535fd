import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { RawMessage } from '../event-log';

const NO_HEADERS = Object.freeze({});

export function rawMessage(partition: number, message: KafkaMessage): RawMessage {
  return {
    key: message.key === null ? null : message.key.toString('utf8'),
    value: message.value ?? Buffer.alloc(0),
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    headers: message.headers === undefined ? NO_HEADERS : textHeaders(message.headers),
  };
}

function textHeaders(headers: IHeaders): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) text[name] = first.toString();
  }
  return text;
}
