import { BusyTime } from '../../src/flow/busy-time.js';

test('what overlaps counts once, and what lies between does not count', () => {
  const busy = new BusyTime();
  busy.begin(10);
  busy.begin(12);
  expect(busy.end(15)).toBe(5);
  expect(busy.end(18)).toBe(3);
  busy.begin(30);
  expect(busy.end(31)).toBe(1);
});
