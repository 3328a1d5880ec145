// The one guest program that busybox has no applet for: holds memory of a kind until the guest ends.
//
//   hold anonymous MIB        private memory, half of each page random, half zero
//   hold partial MIB          the same in huge pages, of which every second 256 KiB is given back
//   hold merge MIB            equal pages that the kernel may merge (KSM)
//   hold locked MIB           locked memory
//   hold huge FILE MIB        a file on hugetlbfs, mapped and touched
//   hold mapped FILE...       files mapped as programs are: private, executable, read
//   hold shared FILE...       files mapped shared and writable, but only read
//   hold patched FILE...      files mapped privately, every second page written
//   hold pieces FILE...       files of which every second 64 KiB is mapped and read
//   hold lockedfiles FILE...  files mapped and locked
//
// Returns once the memory is there; a child of the caller's goes on holding it.

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, MIB = 1 << 20, HUGE = 2 * MIB };

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

static uint64_t next_random(void) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static char *map(size_t size, int protection, int flags, int file) {
  char *memory = mmap(NULL, size, protection, flags, file, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return memory;
}

static char *map_anonymous(size_t size) {
  return map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void fill_every(char *memory, size_t size, size_t step) {
  for (size_t page = 0; page < size; page += step)
    for (size_t at = 0; at < PAGE / 2; at += 8) *(uint64_t *)(memory + page + at) = next_random();
}

static void fill(char *memory, size_t size) { fill_every(memory, size, PAGE); }

static void read_pages(const volatile char *memory, size_t size) {
  for (size_t at = 0; at < size; at += PAGE) (void)memory[at];
}

static void hold_partial(size_t size) {
  char *memory = map_anonymous(size + HUGE);
  memory += HUGE - (uintptr_t)memory % HUGE;
  madvise(memory, size, MADV_HUGEPAGE);
  fill(memory, size);
  const size_t piece = 256 << 10;
  for (size_t at = 0; at < size; at += 2 * piece)
    if (munmap(memory + at, piece) != 0) fail("munmap");
}

static void hold_merge(size_t size) {
  char *memory = map_anonymous(size);
  // Small pages: one huge page would have to be split first.
  madvise(memory, size, MADV_NOHUGEPAGE);
  for (size_t page = 0; page < size; page += PAGE) memset(memory + page, 1 + page / PAGE % 7, PAGE);
  if (madvise(memory, size, MADV_MERGEABLE) != 0) fail("madvise");
}

static void hold_locked(size_t size) {
  char *memory = map_anonymous(size);
  fill(memory, size);
  if (mlock(memory, size) != 0) fail("mlock");
}

static void hold_huge(const char *path, size_t size) {
  int file = open(path, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, size) != 0) fail(path);
  fill(map(size, PROT_READ | PROT_WRITE, MAP_SHARED, file), size);
}

static void hold_file(const char *how, const char *path) {
  const int is_shared = strcmp(how, "shared") == 0;
  const int is_patched = strcmp(how, "patched") == 0;
  const int file = open(path, is_shared ? O_RDWR : O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail(path);
  const size_t size = status.st_size;
  if (strcmp(how, "pieces") == 0) {
    const size_t piece = 64 << 10;
    for (size_t at = 0; at < size; at += 2 * piece) {
      char *memory = mmap(NULL, piece, PROT_READ, MAP_SHARED, file, at);
      if (memory == MAP_FAILED) fail(path);
      read_pages(memory, piece < size - at ? piece : size - at);
    }
  } else {
    const int protection = is_shared || is_patched ? PROT_READ | PROT_WRITE : PROT_READ | PROT_EXEC;
    char *memory = map(size, protection, is_shared ? MAP_SHARED : MAP_PRIVATE, file);
    if (strcmp(how, "lockedfiles") == 0 && mlock(memory, size) != 0) fail("mlock");
    read_pages(memory, size);
    if (is_patched) fill_every(memory, size - size % PAGE, 2 * PAGE);
  }
  close(file);
}

static void hold(int count, char **words) {
  const char *how = words[1];
  const size_t size = (size_t)atoi(words[count - 1]) * MIB;
  if (strcmp(how, "anonymous") == 0) fill(map_anonymous(size), size);
  else if (strcmp(how, "partial") == 0) hold_partial(size);
  else if (strcmp(how, "merge") == 0) hold_merge(size);
  else if (strcmp(how, "locked") == 0) hold_locked(size);
  else if (strcmp(how, "huge") == 0) hold_huge(words[2], size);
  else
    for (int index = 2; index < count; index++) hold_file(how, words[index]);
}

int main(int count, char **words) {
  if (count < 3) return 2;
  int ready[2];
  if (pipe(ready) != 0) fail("pipe");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  char answer = 0;
  if (child == 0) {
    close(ready[0]);
    hold(count, words);
    if (write(ready[1], &answer, 1) != 1) fail("write");
    close(ready[1]);
    for (;;) pause();
  }
  close(ready[1]);
  return read(ready[0], &answer, 1) == 1 ? 0 : 1;
}
