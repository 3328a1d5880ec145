// A sink for tests: bytes go to shared memory, which the test looks at. It is told at which byte to wait for an end.

export function openSink({ shared, waitsAtBytes }, signal) {
  const bytes = Buffer.from(shared);
  let at = 0;
  const reach = async () => {
    if (at >= waitsAtBytes && !signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
  };
  return {
    room: (sizeBytes) => Promise.resolve(bytes.subarray(at, at + sizeBytes)),
    took: async (sizeBytes) => {
      at += sizeBytes;
      await reach();
    },
    finish: () => Promise.resolve(),
    close: () => undefined,
    detailOf: () => undefined,
  };
}
