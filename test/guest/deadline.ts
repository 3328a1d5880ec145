// A limit on waiting, for promises that know none themselves. The message says
// what was waited for, since "timeout" alone helps nobody.

/** Rejects with `describe()` once the time is up; the promise itself goes on. */
export async function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  describe: () => string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${describe()}: nothing after ${timeoutMs} ms`));
    }, timeoutMs);
    // Nobody may be waiting any more: the limit itself keeps no process alive.
    timer.unref();
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
