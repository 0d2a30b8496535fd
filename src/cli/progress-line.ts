/** Milliseconds between two updates of the line. */
const INTERVAL = 200;

/** Says how far a long command has come: on a terminal one line that changes, else plain lines. */
export class ProgressLine {
  private shownAt = 0;
  private readonly startedAt: number;

  constructor(
    private readonly label: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
    private readonly now: () => number = Date.now,
  ) {
    this.startedAt = now();
  }

  /** @param total what `done` will reach, when that is known */
  update(done: number, total?: number): void {
    if (this.now() - this.shownAt < INTERVAL) return;
    this.shownAt = this.now();
    this.write(this.text(done, total));
  }

  finish(done: number): void {
    this.write(`${this.label}: ${done.toLocaleString('en')}`);
    if (this.stream.isTTY) this.stream.write('\n');
  }

  private text(done: number, total: number | undefined): string {
    const share = total ? ` of ${total.toLocaleString('en')}${this.eta(done, total)}` : '';
    return `${this.label}: ${done.toLocaleString('en')}${share}`;
  }

  /** The time left at the pace so far; nothing while a total that was only estimated is exceeded. */
  private eta(done: number, total: number): string {
    if (done <= 0 || done >= total) return '';
    const seconds = Math.ceil(((this.now() - this.startedAt) * (total - done)) / done / 1_000);
    return seconds < 60 ? `, ${seconds} s left` : `, ${Math.ceil(seconds / 60)} min left`;
  }

  private write(text: string): void {
    this.stream.write(this.stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
  }
}
