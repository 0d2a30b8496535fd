import { exitWith } from './stack/stack-error.mjs';

/**
 * Ends this process by Ctrl-C and its like only after `stop` has put things away.
 * @param stop is called once, however many signals come
 */
export function stopOnSignals(stop, code) {
  let stopping;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      stopping ??= stop().then(() => process.exit(code), exitWith);
    });
}
