import type { CommandContext } from './command';
import type { ProgressLine } from './progress-line';

/** One progress line for each step of a long command, finished when the next step begins. */
export class ProgressSteps {
  private current: { step: string; line: ProgressLine; done: number } | undefined;

  constructor(private readonly progress: CommandContext['progress']) {}

  /** @param share of the step that is done, from 0 to 1 */
  readonly update = (step: string, done: number, share: number): void => {
    if (this.current?.step !== step) {
      this.finish();
      this.current = { step, line: this.progress(step), done };
    }
    this.current.done = done;
    this.current.line.update(done, share);
  };

  finish(): void {
    this.current?.line.finish(this.current.done);
    this.current = undefined;
  }
}
