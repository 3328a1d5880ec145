// Programs that notice when the machine they run in was put together from two moments.
//
//   witness records FOLDER   appends numbered records to files, each on the disk before the next is begun; its page tells
//                            which one was begun last and which one is on the disk
//   witness pages COUNT      rewrites pages in turn, all of them under one generation before the next begins
//   witness ticks PORT       sends a byte to PORT each 10 ms, and remembers the gaps by its own clock
//
// Each goes on until the guest ends. On SIGUSR1 it looks at all that it has and writes its figures, and a line
// `wrong: ...` for everything that is, to /run/witness-ROLE. The host finds their pages in the RAM by a mark
// (test/live/witness-marks.ts).

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 8, MARK_WORDS = 2, WRONG_MAX = 8 };
enum { RECORD_WORDS = 32, RECORD = RECORD_WORDS * 8, FILE_RECORDS = 1024 };
enum { TICK_MS = 10, PAGES_PER_REST = 64, GAPS = 16, BUCKETS = 16 };

static char wrong[WRONG_MAX][200];
static int wrong_count;

static void complain(const char *format, ...) {
  va_list words;
  va_start(words, format);
  if (wrong_count < WRONG_MAX) vsnprintf(wrong[wrong_count], sizeof wrong[0], format, words);
  wrong_count++;
  va_end(words);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void rest_us(long microseconds) {
  const struct timespec rest = {0, microseconds * 1000};
  nanosleep(&rest, NULL);
}

static volatile uint64_t *marked_pages(size_t count, uint64_t role) {
  static volatile uint64_t half = 0x5041525377697400u;
  uint64_t *pages = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mlock(pages, count * PAGE) != 0) fail("memory");
  for (size_t page = 0; page < count; page++) {
    // Made here, so that the program's own text has no mark.
    pages[page * WORDS] = half ^ 0xc3a5c85c97cb3127u;
    pages[page * WORDS + 1] = half ^ 0xb492b66fbe98f273u ^ role;
  }
  return pages;
}

static int is_asked(void) {
  sigset_t question;
  sigemptyset(&question);
  sigaddset(&question, SIGUSR1);
  const struct timespec at_once = {0, 0};
  return sigtimedwait(&question, NULL, &at_once) == SIGUSR1;
}

static FILE *begin_answer(const char *role, char *unfinished, size_t size) {
  snprintf(unfinished, size, "/run/witness-%s.unfinished", role);
  FILE *answer = fopen(unfinished, "w");
  if (answer == NULL) fail(unfinished);
  return answer;
}

static void end_answer(FILE *answer, const char *role, const char *unfinished) {
  for (int index = 0; index < wrong_count && index < WRONG_MAX; index++) fprintf(answer, "wrong: %s\n", wrong[index]);
  if (wrong_count > WRONG_MAX) fprintf(answer, "wrong: %d more\n", wrong_count - WRONG_MAX);
  char path[64];
  snprintf(path, sizeof path, "/run/witness-%s", role);
  if (fclose(answer) != 0 || rename(unfinished, path) != 0) fail(path);
}

// Records.

static uint64_t record_word(uint64_t number, int word) { return (number + word) * 0x9e3779b97f4a7c15u; }

static void make_record(uint64_t number, uint64_t *record) {
  record[0] = number;
  uint64_t checksum = number;
  for (int word = 1; word < RECORD_WORDS - 1; word++) checksum ^= record[word] = record_word(number, word);
  record[RECORD_WORDS - 1] = ~checksum;
}

static int open_records(const char *folder, uint64_t number, int flags) {
  char path[128];
  snprintf(path, sizeof path, "%s/%llu", folder, (unsigned long long)(number / FILE_RECORDS));
  return open(path, flags, 0600);
}

static void check_records(const char *folder, uint64_t synced) {
  wrong_count = 0;
  int file = -1;
  for (uint64_t number = 0; number < synced; number++) {
    if (number % FILE_RECORDS == 0) {
      if (file >= 0) close(file);
      file = open_records(folder, number, O_RDONLY);
    }
    uint64_t expected[RECORD_WORDS], found[RECORD_WORDS];
    make_record(number, expected);
    const ssize_t size = pread(file, found, RECORD, number % FILE_RECORDS * RECORD);
    if (size != RECORD || memcmp(expected, found, RECORD) != 0)
      complain("record %llu of %llu: expected %d bytes of its own, found %zd beginning with number %llu",
               (unsigned long long)number, (unsigned long long)synced, RECORD, size,
               (unsigned long long)(size == RECORD ? found[0] : 0));
  }
  if (file >= 0) {
    const uint64_t last_count = (synced - 1) % FILE_RECORDS + 1;
    const off_t size = lseek(file, 0, SEEK_END);
    if ((uint64_t)size != last_count * RECORD)
      complain("last file: expected %llu records, found %lld bytes", (unsigned long long)last_count, (long long)size);
    close(file);
  }
  const uint64_t next = (synced + FILE_RECORDS - 1) / FILE_RECORDS * FILE_RECORDS;
  const int beyond = open_records(folder, next, O_RDONLY);
  if (beyond >= 0) {
    complain("records: expected none from %llu on, found a file of them", (unsigned long long)next);
    close(beyond);
  }
}

static void records(const char *folder) {
  volatile uint64_t *page = marked_pages(1, 1);
  volatile uint64_t *begun = page + MARK_WORDS, *synced = page + MARK_WORDS + 1;
  int file = -1;
  for (;;) {
    const uint64_t number = *begun;
    if (number % FILE_RECORDS == 0) {
      if (file >= 0) close(file);
      file = open_records(folder, number, O_WRONLY | O_CREAT | O_EXCL);
      if (file < 0) fail(folder);
    }
    uint64_t record[RECORD_WORDS];
    make_record(number, record);
    *begun = number + 1;
    if (pwrite(file, record, RECORD, number % FILE_RECORDS * RECORD) != RECORD || fsync(file) != 0) fail("record");
    *synced = number + 1;
    rest_us(1000);
    if (is_asked()) {
      char unfinished[64];
      FILE *answer = begin_answer("records", unfinished, sizeof unfinished);
      check_records(folder, *synced);
      fprintf(answer, "count %llu\n", (unsigned long long)*synced);
      end_answer(answer, "records", unfinished);
    }
  }
}

// Pages. Within one the generation is written first, then the words in turn.

static uint64_t page_word(uint64_t generation, uint64_t page, uint64_t word) {
  return generation * 0x9e3779b97f4a7c15u + page * 0xff51afd7ed558ccdu + word;
}

static void pages(size_t count) {
  volatile uint64_t *memory = marked_pages(count, 2);
  enum { INDEX = MARK_WORDS, GENERATION, FIRST };
  for (size_t page = 0; page < count; page++) {
    memory[page * WORDS + INDEX] = page;
    for (int word = FIRST; word < WORDS; word++) memory[page * WORDS + word] = page_word(0, page, word);
  }
  for (uint64_t generation = 1;; generation++) {
    for (size_t page = 0; page < count; page++) {
      volatile uint64_t *words = memory + page * WORDS;
      uint64_t wrong_bits = (words[GENERATION] ^ (generation - 1)) | (words[INDEX] ^ page);
      words[GENERATION] = generation;
      for (int word = FIRST; word < WORDS; word++) {
        wrong_bits |= words[word] ^ page_word(generation - 1, page, word);
        words[word] = page_word(generation, page, word);
      }
      if (wrong_bits != 0)
        complain("page %zu: expected all of generation %llu, found other bits", page,
                 (unsigned long long)(generation - 1));
      if (page % PAGES_PER_REST == 0) rest_us(500);
    }
    if (is_asked()) {
      char unfinished[64];
      FILE *answer = begin_answer("pages", unfinished, sizeof unfinished);
      fprintf(answer, "count %llu\n", (unsigned long long)generation);
      end_answer(answer, "pages", unfinished);
    }
  }
}

// Ticks.

struct gap {
  uint64_t at_us, length_us;
};
static struct gap longest[GAPS];

static void remember_gap(uint64_t at_us, uint64_t length_us) {
  int shortest = 0;
  for (int index = 1; index < GAPS; index++)
    if (longest[index].length_us < longest[shortest].length_us) shortest = index;
  if (length_us > longest[shortest].length_us) longest[shortest] = (struct gap){at_us, length_us};
}

static void ticks(const char *port_path) {
  // The shell's nice programs must not be what is measured.
  const struct sched_param first = {.sched_priority = 50};
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) perror("priority");
  // Nobody may be listening; it must not wait then.
  const int port = open(port_path, O_WRONLY | O_NONBLOCK);
  if (port < 0) fail(port_path);
  uint64_t count = 0, histogram[BUCKETS] = {0};
  for (uint64_t last = now_us();;) {
    rest_us(TICK_MS * 1000);
    const uint64_t now = now_us(), gap = now - last;
    last = now;
    count++;
    if (write(port, "t", 1) != 1 && errno != EAGAIN) fail(port_path);
    remember_gap(now, gap);
    // Bucket 0 is below 11 ms; each further one twice as wide: 12, 14, 18 ms, ...
    int bucket = 0;
    for (uint64_t limit = 1000; bucket < BUCKETS - 1 && gap >= TICK_MS * 1000 + limit; limit *= 2) bucket++;
    histogram[bucket]++;
    if (is_asked()) {
      char unfinished[64];
      FILE *answer = begin_answer("ticks", unfinished, sizeof unfinished);
      fprintf(answer, "count %llu\nnow %llu\nhistogram", (unsigned long long)count, (unsigned long long)now);
      for (int index = 0; index < BUCKETS; index++) fprintf(answer, " %llu", (unsigned long long)histogram[index]);
      fputc('\n', answer);
      for (int index = 0; index < GAPS; index++)
        if (longest[index].length_us > 0)
          fprintf(answer, "gap %llu %llu\n", (unsigned long long)longest[index].at_us,
                  (unsigned long long)longest[index].length_us);
      end_answer(answer, "ticks", unfinished);
      memset(longest, 0, sizeof longest);
      // What answering took is no gap of the machine's.
      last = now_us();
    }
  }
}

int main(int count, char **words) {
  if (count != 3) return 2;
  sigset_t question;
  sigemptyset(&question);
  sigaddset(&question, SIGUSR1);
  sigprocmask(SIG_BLOCK, &question, NULL);
  if (strcmp(words[1], "records") == 0) records(words[2]);
  else if (strcmp(words[1], "pages") == 0) pages(strtoul(words[2], NULL, 10));
  else if (strcmp(words[1], "ticks") == 0) ticks(words[2]);
  return 2;
}
