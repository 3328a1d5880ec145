// Holds memory of a kind until the guest ends.
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
// Returns once the memory is there; a child of the caller's goes on holding it. On SIGUSR1 that one looks whether all of
// it is still what it was, and writes `ok` or what is wrong to /run/held-PID.

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

enum { PAGE = 4096, MIB = 1 << 20, HUGE = 2 * MIB, HELD_MAX = 1024 };

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

static uint64_t hash_on(uint64_t hash, const char *memory, size_t size) {
  // The last page of a file goes on with zeros.
  for (size_t at = 0; at < size; at += 8) {
    hash = (hash ^ *(const uint64_t *)(memory + at)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  return hash;
}

static struct {
  const char *memory;
  size_t size;
  uint64_t hash;
} held[HELD_MAX];
static int held_count;

static void remember_hash(const char *memory, size_t size, uint64_t hash) {
  if (held_count == HELD_MAX) {
    fputs("hold: too many pieces\n", stderr);
    _exit(1);
  }
  held[held_count].memory = memory;
  held[held_count].size = size;
  held[held_count++].hash = hash;
}

// Reads it all.
static void remember(const char *memory, size_t size) { remember_hash(memory, size, hash_on(0, memory, size)); }

static void fill_every(char *memory, size_t size, size_t step) {
  for (size_t page = 0; page < size; page += step)
    for (size_t at = 0; at < PAGE / 2; at += 8) *(uint64_t *)(memory + page + at) = next_random();
}

// Each page is read right after it is written: later it may have been swapped out.
static void fill(char *memory, size_t size) {
  uint64_t hash = 0;
  for (size_t page = 0; page < size; page += PAGE) {
    fill_every(memory + page, PAGE, PAGE);
    hash = hash_on(hash, memory + page, PAGE);
  }
  remember_hash(memory, size, hash);
}

static void hold_partial(size_t size) {
  char *memory = map_anonymous(size + HUGE);
  memory += HUGE - (uintptr_t)memory % HUGE;
  madvise(memory, size, MADV_HUGEPAGE);
  fill_every(memory, size, PAGE);
  const size_t piece = 256 << 10;
  for (size_t at = 0; at < size; at += 2 * piece) {
    if (munmap(memory + at, piece) != 0) fail("munmap");
    remember(memory + at + piece, piece);
  }
}

static void hold_merge(size_t size) {
  char *memory = map_anonymous(size);
  // Small pages: one huge page would have to be split first.
  madvise(memory, size, MADV_NOHUGEPAGE);
  for (size_t page = 0; page < size; page += PAGE) memset(memory + page, 1 + page / PAGE % 7, PAGE);
  remember(memory, size);
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
      remember(memory, piece < size - at ? piece : size - at);
    }
  } else {
    const int protection = is_shared || is_patched ? PROT_READ | PROT_WRITE : PROT_READ | PROT_EXEC;
    char *memory = map(size, protection, is_shared ? MAP_SHARED : MAP_PRIVATE, file);
    if (strcmp(how, "lockedfiles") == 0 && mlock(memory, size) != 0) fail("mlock");
    if (is_patched) fill_every(memory, size - size % PAGE, 2 * PAGE);
    remember(memory, size);
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

static void compare(void) {
  char path[64], unfinished[80];
  snprintf(path, sizeof path, "/run/held-%d", getpid());
  snprintf(unfinished, sizeof unfinished, "%s.unfinished", path);
  FILE *answer = fopen(unfinished, "w");
  if (answer == NULL) fail(unfinished);
  int wrong_count = 0;
  for (int index = 0; index < held_count; index++) {
    const uint64_t found = hash_on(0, held[index].memory, held[index].size);
    if (found == held[index].hash) continue;
    fprintf(answer, "%zu bytes, piece %d of %d: expected hash %016llx, found %016llx\n", held[index].size, index + 1,
            held_count, (unsigned long long)held[index].hash, (unsigned long long)found);
    wrong_count++;
  }
  if (wrong_count == 0) fputs("ok\n", answer);
  if (fclose(answer) != 0 || rename(unfinished, path) != 0) fail(path);
}

int main(int count, char **words) {
  if (count < 3) return 2;
  // Blocked from the start: only sigwait takes it.
  sigset_t question;
  sigemptyset(&question);
  sigaddset(&question, SIGUSR1);
  sigprocmask(SIG_BLOCK, &question, NULL);
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
    for (int number; sigwait(&question, &number) == 0;) compare();
    _exit(1);
  }
  close(ready[1]);
  return read(ready[0], &answer, 1) == 1 ? 0 : 1;
}
