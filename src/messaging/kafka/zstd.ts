import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);

/** KafkaJS has no codec for zstd; needed for the older messages of a topic. */
export const zstd = {
  compress: ({ buffer }: { buffer: Buffer }): Promise<Buffer> => compress(buffer),
  decompress: promisify(zstdDecompress) as (buffer: Buffer) => Promise<Buffer>,
};
