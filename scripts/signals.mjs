import { exitWith } from './stack/stack-error.mjs';

/**
 * On Ctrl-C and similar signals, ends this process only after `stop` has finished.
 * @param stop is called once, however many signals arrive
 */
export function stopOnSignals(stop, code) {
  let stopping;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      stopping ??= stop().then(() => process.exit(code), exitWith);
    });
}
