// Writes the kernel's own account of its memory to the spare disk, twice, each time when told:
//
//   page-reader <questions >answers
//
// A question is the record's number, 0 or 1; the answer is the size of each of its two accounts, once it is written.
// A record is the text of zoneinfo, meminfo and vmstat, then /proc/kpageflags, then /proc/kpagecount. Record 1 has no
// text: having the kernel add up its counters also has it tidy its free lists, which the copy must not do first.
//
// It is there before the first record and after the second, has everything open, and allocates nothing in between, nor
// does the shell that waits for its answer. Memory that is freed after the one record would be found by the next, and
// both would call it in use.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// spare-disk.ts has the same number.
enum { BLOCK = 256 << 10, TEXT_COUNT = 3 };

static const char *const text_paths[TEXT_COUNT] = {"/proc/zoneinfo", "/proc/meminfo", "/proc/vmstat"};
static int texts[TEXT_COUNT];
static int refresh, flags, counts, disk;
static char block[BLOCK] __attribute__((aligned(4096)));

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int open_or_fail(const char *path, int how) {
  const int file = open(path, how);
  if (file < 0) fail(path);
  return file;
}

static size_t read_fully(int file, char *to, size_t size, off_t from) {
  size_t done = 0;
  for (;;) {
    const ssize_t part = pread(file, to + done, size - done, from + done);
    if (part < 0) fail("read");
    done += part;
    if (part == 0 || done == size) return done;
  }
}

static void write_block(off_t to) {
  if (pwrite(disk, block, BLOCK, to) != BLOCK) fail("write");
}

static void write_texts(off_t to) {
  memset(block, 0, BLOCK);
  // Adds up what each CPU counts for itself. Fails where a sum is below zero, which some are for a moment. A kernel for one
  // CPU alone counts in one place, and has no such file.
  if (refresh >= 0 && write(refresh, "1", 1) != 1) block[0] = 0;
  size_t end = 0;
  for (int index = 0; index < TEXT_COUNT; index++) {
    end += sprintf(block + end, "# %s\n", text_paths[index]);
    end += read_fully(texts[index], block + end, BLOCK - 1 - end, 0);
  }
  write_block(to);
}

static off_t write_account(int account, off_t to) {
  off_t size = 0;
  size_t part;
  // Whole blocks: an account ends where 128 MiB of RAM do.
  while ((part = read_fully(account, block, BLOCK, size)) > 0) {
    write_block(to + size);
    size += part;
  }
  return size;
}

static off_t write_accounts(off_t at) {
  const off_t size = write_account(flags, at);
  if (write_account(counts, at + size) != size) fail("accounts differ in size");
  return size;
}

int main(void) {
  for (int index = 0; index < TEXT_COUNT; index++) {
    texts[index] = open_or_fail(text_paths[index], O_RDONLY);
  }
  refresh = open("/proc/sys/vm/stat_refresh", O_WRONLY);
  if (refresh < 0 && errno != ENOENT) fail("stat_refresh");
  flags = open_or_fail("/proc/kpageflags", O_RDONLY);
  counts = open_or_fail("/proc/kpagecount", O_RDONLY);
  disk = open_or_fail("/dev/vdb", O_WRONLY | O_DIRECT);
  // Once for nothing, so that whatever the kernel allocates for it is allocated.
  write_texts(0);
  const off_t size = write_accounts(BLOCK);
  char question[2];
  while (read(STDIN_FILENO, question, 2) == 2) {
    const int number = question[0] - '0';
    const off_t at = number * (BLOCK + 2 * size);
    if (number == 0) write_texts(at);
    write_accounts(at + BLOCK);
    char answer[32];
    const int length = snprintf(answer, sizeof answer, "%lld\n", (long long)size);
    if (write(STDOUT_FILENO, answer, length) != length) fail("answer");
  }
  return 0;
}
