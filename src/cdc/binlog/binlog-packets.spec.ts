import { BinlogPackets, type MappedTable, type Packet } from './binlog-packets';

/**
 * MySQL 9.7 logged this event, with its checksum, for a transaction that inserts a row into
 * `interactives` and one into `other`, updates three rows and deletes one.
 */
const PAYLOAD = Buffer.from(
  [
    '1ace0d6b282b000000200100001f0d000000000201000303fcce020103fcfb000028b52ffd60ce018d0700028a232c80',
    '276a0c10038b812103338526c81af1feb4d13d6eb0ec000ad0ee38337e00c68f53efff7f6fda41fede5ba6ffff8043b1',
    '8dc04ebfb7d2ce1d453f04584eddc9ec7edc31a9402fc42c98fefd5de1ee450370dd9e7b3701778b31c2a764a0e81461',
    '922e5009f25aef342a255b10a083c7e0eaba24d970655cd7d660029d0f791c66f6c72327c7a19fc0554ab604342040a3',
    'd1ea0125171708a2b9dbcef16f5a2c1851e39829e371cc95c7994c14703774e73808716e58b0bbf5450b067fb658cb31',
    '9da908a7200132170b4311e2dbeb6c45041685ccabc466c69acd848459b7e4d0e67ec1e03e5a5a68830cd40b04575a8d',
  ].join(''),
  'hex',
);

const HEADER_BYTES = 19;
const QUERY = 2;
const XID = 16;
const TABLE_MAP = 19;
const WRITE_ROWS = 30;
const UPDATE_ROWS = 31;
const DELETE_ROWS = 32;

function packetOf(event: Buffer): Packet {
  const buffer = Buffer.concat([Buffer.alloc(1), event]);
  return { buffer, offset: 0, end: buffer.length, isEOF: () => false, isError: () => false };
}

/** An event with `body`, and a checksum of zeros if it has one. */
function eventOf(type: number, body: Buffer, hasChecksum: boolean): Packet {
  const header = Buffer.alloc(HEADER_BYTES);
  header[4] = type;
  header.writeUInt32LE(HEADER_BYTES + body.length + (hasChecksum ? 4 : 0), 9);
  return packetOf(Buffer.concat([header, body, Buffer.alloc(hasChecksum ? 4 : 0)]));
}

const format = (algorithm: number): Packet =>
  // Its last four bytes belong to the checksum, whether it has one or not.
  eventOf(15, Buffer.from([1, 2, 3, algorithm, 0, 0, 0, 0]), false);

describe('BinlogPackets', () => {
  let packets: BinlogPackets;
  let read: { type: number; length: number; end: number; bytes: number }[];
  let tables: readonly MappedTable[];
  let unreadable: [tableId: number | undefined, cause: string][];

  const receive = (packet: Packet): void =>
    packets.receive(packet, ({ buffer, offset, end }) => {
      const event = buffer.subarray(offset + 1, end);
      read.push({
        type: event[4]!,
        length: event.readUInt32LE(9),
        end: event.readUInt32LE(13),
        bytes: event.length,
      });
    });

  beforeEach(() => {
    read = [];
    tables = [];
    unreadable = [];
    packets = new BinlogPackets({
      readAll: (all, mapped, readOne) => {
        tables = mapped;
        all.forEach(readOne);
      },
      onUnreadableRows: (tableId, cause) => unreadable.push([tableId, cause]),
      onUnreadable: (cause) => unreadable.push([undefined, cause]),
    });
  });

  it('removes checksums from where a file has them to where one has none', () => {
    const body = Buffer.from('body');
    receive(eventOf(4, body, false));
    receive(format(1));
    receive(eventOf(QUERY, body, true));
    receive(format(0));
    receive(eventOf(QUERY, body, false));
    receive(format(1));
    receive(eventOf(XID, body, true));
    const length = HEADER_BYTES + body.length;
    expect(read.filter(({ type }) => type !== 15)).toEqual(
      [4, QUERY, QUERY, XID].map((type) => ({ type, length, bytes: length, end: 0 })),
    );
    // Where an event begins is computed from what the reader knows, and the checksum.
    expect(packets.beginOf({ nextPosition: 1_000, size: 10 })).toBe(1_000 - 10 - HEADER_BYTES - 4);
  });

  it('decompresses a transaction', () => {
    receive(format(1));
    receive(packetOf(Buffer.from(PAYLOAD)));
    const types = read.slice(1).map(({ type }) => type);
    expect(types.filter((type) => type !== TABLE_MAP)).toEqual([
      QUERY,
      WRITE_ROWS,
      WRITE_ROWS,
      UPDATE_ROWS,
      DELETE_ROWS,
      XID,
    ]);
    for (const { length, bytes } of read) expect(bytes).toBe(length);
    // The binlog can be read on only after the last one.
    const ends = read.slice(1).map(({ end }) => end);
    expect(ends.slice(0, -1).every((end) => end === 0)).toBe(true);
    expect(ends.at(-1)).toBe(PAYLOAD.readUInt32LE(13));
    expect(tables.map(({ schema, name, columnCount }) => [schema, name, columnCount])).toEqual([
      ['webook', 'interactives', 4],
      ['webook', 'other', 1],
      ['webook', 'interactives', 4],
      ['webook', 'interactives', 4],
    ]);
  });

  it('reports a transaction that cannot be decompressed, and goes on', () => {
    receive(format(1));
    const broken = Buffer.from(PAYLOAD);
    broken.fill(7, 60, 90);
    receive(packetOf(broken));
    receive(eventOf(QUERY, Buffer.alloc(0), true));
    expect(unreadable).toEqual([
      [undefined, expect.stringMatching(/^a compressed transaction cannot be read: /)],
    ]);
    expect(read.at(-1)).toMatchObject({ type: QUERY });
  });

  it('reports rows that are logged in part, and lost changes', () => {
    receive(eventOf(39, Buffer.from([7, 0, 0, 0, 0, 0, 1, 0]), false));
    receive(eventOf(26, Buffer.alloc(2), false));
    expect(unreadable).toEqual([
      [7, expect.stringContaining('binlog_row_value_options')],
      [undefined, expect.stringContaining('incident')],
    ]);
    expect(read).toEqual([]);
  });

  it('knows the table whose rows are being read', () => {
    const seen: unknown[] = [];
    const rows = eventOf(WRITE_ROWS, Buffer.from([9, 0, 0, 0, 0, 0, 1, 0]), false);
    packets.receive(rows, () => seen.push(packets.tableOfRows));
    expect(() =>
      packets.receive(rows, () => {
        throw new Error('undecodable');
      }),
    ).toThrow('undecodable');
    expect([seen, packets.tableOfRows]).toEqual([[9], undefined]);
  });
});
