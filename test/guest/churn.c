// Work whose speed can be told from outside: the same small piece over and over, and how many were done so far in /run/churn.
//
//   churn cpu                arithmetic
//   churn random FILE        4 KiB anywhere in a file of 64 MiB, each synced
//   churn sequential FILE    64 KiB at a time through a file of 64 MiB, synced at its end

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_SIZE = 64 << 20, SMALL = 4 << 10, LARGE = 64 << 10, ROUNDS = 20000 };

static char bytes[LARGE];
static uint64_t state = 88172645463325252u;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static int write_at(int file, size_t size, off_t at) {
  // Never what is there already.
  memcpy(bytes, &(uint64_t){next_random()}, sizeof(uint64_t));
  return pwrite(file, bytes, size, at) == (ssize_t)size;
}

int main(int count, char **words) {
  if (count < 2) return 2;
  const int is_random = strcmp(words[1], "random") == 0;
  const int file = count > 2 ? open(words[2], O_RDWR | O_CREAT, 0600) : -1;
  const int counter = open("/run/churn", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (counter < 0 || (count > 2 && file < 0)) return 1;
  for (off_t at = 0; file >= 0 && at < FILE_SIZE; at += LARGE)
    if (!write_at(file, LARGE, at)) return 1;
  if (file >= 0) fsync(file);
  for (uint64_t done = 1;; done++) {
    if (file < 0) {
      for (int round = 0; round < ROUNDS; round++) next_random();
    } else if (is_random) {
      const off_t at = (off_t)(next_random() % (FILE_SIZE / SMALL)) * SMALL;
      if (!write_at(file, SMALL, at) || fsync(file) != 0) return 1;
    } else {
      const off_t at = (off_t)(done % (FILE_SIZE / LARGE)) * LARGE;
      if (!write_at(file, LARGE, at) || (at == 0 && fsync(file) != 0)) return 1;
    }
    char text[32];
    const int size = snprintf(text, sizeof text, "%llu\n", (unsigned long long)done);
    if (pwrite(counter, text, size, 0) != size) return 1;
  }
}
