// Has the kernel put a huge page together (madvise(2), MADV_COLLAPSE) from two MiB of a file, all of which it reads first:
//
//   collapse FILE OFFSET-IN-MIB
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE = 2 << 20, ADVICE_COLLAPSE = 25 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

int main(int count, char **words) {
  if (count != 3) return 2;
  const int file = open(words[1], O_RDONLY);
  if (file < 0) fail(words[1]);
  // Room to align it in.
  char *room = mmap(NULL, 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *start = (char *)(((uintptr_t)room + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
  const off_t offset = atol(words[2]) << 20;
  if (room == MAP_FAILED ||
      mmap(start, HUGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, file, offset) == MAP_FAILED) {
    fail("mmap");
  }
  unsigned sum = 0;
  for (int at = 0; at < HUGE; at += 4096) sum += start[at];
  if (madvise(start, HUGE, ADVICE_COLLAPSE) != 0) fail("collapse");
  printf("collapsed, sum %u\n", sum);
  return 0;
}
