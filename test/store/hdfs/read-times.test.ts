import { ReadTimes } from '../../../src/store/hdfs/read-times.js';

const mebibyte = 2 ** 20;

test('nothing is slow by less than a quarter of a second until some are known', () => {
  const times = new ReadTimes();
  for (let count = 0; count < 7; count++) {
    times.note(mebibyte, 20);
  }
  expect(times.slowMs(mebibyte)).toBe(250);
  times.note(mebibyte, 20);
  expect(times.slowMs(mebibyte)).toBe(20);
});

test('nineteen of twenty do not take as long', () => {
  const times = new ReadTimes();
  for (let tookMs = 1; tookMs <= 60; tookMs++) {
    times.note(mebibyte, tookMs);
  }
  expect(times.slowMs(mebibyte)).toBe(57);
});

test('one that took for ever is forgotten after as many as are kept', () => {
  const times = new ReadTimes();
  for (let count = 0; count < 8; count++) {
    times.note(mebibyte, 9_000);
  }
  expect(times.slowMs(mebibyte)).toBe(9_000);
  for (let count = 0; count < 64; count++) {
    times.note(mebibyte, 30);
  }
  expect(times.slowMs(mebibyte)).toBe(30);
});

test('small reads say nothing of large ones, and a hiccup is no slowness', () => {
  const times = new ReadTimes();
  for (let count = 0; count < 20; count++) {
    times.note(16, 1);
    times.note(4 * mebibyte, 40);
  }
  expect(times.slowMs(0)).toBe(10);
  expect(times.slowMs(64 * 1024)).toBe(10);
  expect(times.slowMs(3 * mebibyte)).toBe(40);
  expect(times.slowMs(64 * mebibyte)).toBe(250);
});
