// The end of a wait for a peer.

/**
 * Calls `expire` after `timeoutMs`, unless what is returned was called before. This process may have been busy: what has arrived
 * meanwhile is looked at first.
 */
export function startDeadline(timeoutMs: number, expire: () => void): () => void {
  let isOver = false;
  const timer = setTimeout(() => {
    setImmediate(() => {
      if (!isOver) {
        expire();
      }
    });
  }, timeoutMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
