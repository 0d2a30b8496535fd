/** Waits so many milliseconds, or until `stopping` is aborted. Never rejects. */
export function pause(milliseconds: number, stopping?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopping?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      stopping?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    stopping?.addEventListener('abort', done);
  });
}
