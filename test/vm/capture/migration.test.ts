// A migration that moves nothing is not waited for without an end.
import { untilEnded } from '../../../src/vm/capture/migration.js';
import type { QmpClient } from '../../../src/vm/qmp/qmp-client.js';

const qmpThatSays = (transferredBytes: () => number, isOver: () => boolean): QmpClient =>
  ({
    execute: () =>
      Promise.resolve({
        status: isOver() ? 'completed' : 'active',
        ram: { transferred: transferredBytes() },
      }),
  }) as unknown as QmpClient;

test('a migration without progress is given up, and one that moves is waited for', async () => {
  const stalled = untilEnded(
    qmpThatSays(
      () => 7,
      () => false,
    ),
    undefined,
    100,
  );
  await expect(stalled).rejects.toMatchObject({ code: 'unavailable' });

  let transferredBytes = 0;
  const endMs = performance.now() + 400;
  const moving = qmpThatSays(
    () => (transferredBytes += 2 ** 16),
    () => performance.now() > endMs,
  );
  expect((await untilEnded(moving, undefined, 100)).status).toBe('completed');
});
