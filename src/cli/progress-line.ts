const UPDATE_INTERVAL_MS = 200;

/** Shows the progress of a long command: one changing line on a terminal, otherwise plain lines. */
export class ProgressLine {
  private shownAt = -Infinity;
  private readonly startedAt: number;

  constructor(
    private readonly label: string,
    private readonly stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
    private readonly now: () => number = Date.now,
  ) {
    this.startedAt = now();
  }

  /** @param share of the work that is done, from 0 to 1, when it is known */
  update(done: number, share?: number): void {
    if (this.now() - this.shownAt < UPDATE_INTERVAL_MS) return;
    this.shownAt = this.now();
    this.write(this.text(done, share));
  }

  finish(done: number): void {
    this.write(this.text(done));
    if (this.stream.isTTY) this.stream.write('\n');
  }

  private text(done: number, share?: number): string {
    const text = `${this.label}: ${done.toLocaleString('en')}`;
    return share === undefined ? text : `${text} (${this.remaining(share)})`;
  }

  /** E.g. `43 %, 12 s left`, at the average speed so far. */
  private remaining(share: number): string {
    const percent = `${Math.floor(share * 100)} %`;
    if (share <= 0 || share >= 1) return percent;
    const seconds = Math.ceil(((this.now() - this.startedAt) * (1 - share)) / share / 1_000);
    const left = seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
    return `${percent}, ${left} left`;
  }

  private write(text: string): void {
    this.stream.write(this.stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
  }
}
