import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);

/** KafkaJS's codec for zstd, which it leaves to others: for what a topic holds from before. */
export const zstd = {
  compress: ({ buffer }: { buffer: Buffer }): Promise<Buffer> => compress(buffer),
  decompress: promisify(zstdDecompress) as (buffer: Buffer) => Promise<Buffer>,
};
