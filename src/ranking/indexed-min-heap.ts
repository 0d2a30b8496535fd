import { type Place, ranksAbove } from './ranked-row';

/**
 * A binary min-heap of rows with a map from id to heap slot. The lowest row takes O(1); inserting,
 * updating and deleting any row takes O(log n).
 */
export class IndexedMinHeap<Row extends Place> {
  private readonly heap: Row[] = [];
  private readonly slots = new Map<number, number>();

  get size(): number {
    return this.heap.length;
  }

  /** The lowest row. */
  get root(): Row | undefined {
    return this.heap[0];
  }

  get(id: number): Row | undefined {
    const slot = this.slots.get(id);
    return slot === undefined ? undefined : this.heap[slot];
  }

  /** Inserts the row, or replaces the one with its id. */
  set(row: Row): void {
    const slot = this.slots.get(row.id) ?? this.heap.length;
    this.put(row, slot);
    this.restore(slot);
  }

  /** @returns whether there was such a row */
  delete(id: number): boolean {
    const slot = this.slots.get(id);
    if (slot === undefined) return false;
    const last = this.heap.pop() as Row;
    this.slots.delete(id);
    if (last.id !== id) {
      this.put(last, slot);
      this.restore(slot);
    }
    return true;
  }

  /** Removes the lowest row. */
  pop(): Row | undefined {
    const root = this.root;
    if (root !== undefined) this.delete(root.id);
    return root;
  }

  clear(): void {
    this.heap.length = 0;
    this.slots.clear();
  }

  /** All rows, in no particular order. */
  values(): readonly Row[] {
    return this.heap;
  }

  private restore(slot: number): void {
    this.sink(this.rise(slot));
  }

  private rise(slot: number): number {
    const row = this.heap[slot] as Row;
    while (slot > 0) {
      const parentSlot = (slot - 1) >> 1;
      const parent = this.heap[parentSlot] as Row;
      if (!ranksAbove(parent, row)) break;
      this.put(parent, slot);
      slot = parentSlot;
    }
    this.put(row, slot);
    return slot;
  }

  private sink(slot: number): void {
    const row = this.heap[slot] as Row;
    for (;;) {
      let lowestSlot = 2 * slot + 1;
      let lowest = this.heap[lowestSlot];
      if (lowest === undefined) break;
      const right = this.heap[lowestSlot + 1];
      if (right !== undefined && ranksAbove(lowest, right)) {
        lowest = right;
        lowestSlot++;
      }
      if (!ranksAbove(row, lowest)) break;
      this.put(lowest, slot);
      slot = lowestSlot;
    }
    this.put(row, slot);
  }

  private put(row: Row, slot: number): void {
    this.heap[slot] = row;
    this.slots.set(row.id, slot);
  }
}
