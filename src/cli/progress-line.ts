/** Milliseconds between two updates of the line. */
const INTERVAL = 200;

/** Says how far a long command has come: on a terminal one line that changes, else plain lines. */
export class ProgressLine {
  private shownAt = 0;

  constructor(
    private readonly label: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
    private readonly now: () => number = Date.now,
  ) {}

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
    const share = total ? ` of ${total.toLocaleString('en')}` : '';
    return `${this.label}: ${done.toLocaleString('en')}${share}`;
  }

  private write(text: string): void {
    this.stream.write(this.stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
  }
}
