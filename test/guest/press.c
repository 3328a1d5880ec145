// Puts memory under pressure: takes this much, so that whatever can be taken back is taken back, and looks whether it
// is memory as a kernel must hand it out.
//
//   press MIB
//
// Prints what is wrong, if anything. One half is taken in small pages, the other in huge ones where there are any.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, MIB = 1 << 20, WORDS = PAGE / 8, SHOWN_MAX = 4 };

static int wrong_count;

// Another one for each page; words of a page follow each other.
static uint64_t pattern_of(size_t page) { return (page + 1) * 0x9e3779b97f4a7c15u; }

static void report(const char *when, size_t page, size_t word, uint64_t expected, uint64_t found) {
  if (expected == found || ++wrong_count > SHOWN_MAX) return;
  printf("%s, page %zu, word %zu: expected %016llx, found %016llx\n", when, page, word, (unsigned long long)expected,
         (unsigned long long)found);
}

// Writing a word is what makes the kernel hand out a page: reading alone would show the one page of zeros that all share.
static void take(uint64_t *memory, size_t page_count) {
  for (size_t page = 0; page < page_count; page++) {
    uint64_t *words = memory + page * WORDS;
    *(volatile uint64_t *)(words + page % WORDS) = 1;
    uint64_t all = 0;
    for (size_t word = 0; word < WORDS; word++) all += words[word] != 0;
    if (all == 1) continue;
    for (size_t word = 0; word < WORDS; word++) report("fresh memory", page, word, word == page % WORDS, words[word]);
  }
}

static void write_pattern(uint64_t *memory, size_t page_count) {
  for (size_t page = 0; page < page_count; page++)
    for (size_t word = 0; word < WORDS; word++) memory[page * WORDS + word] = pattern_of(page) + word;
}

static void read_pattern(const uint64_t *memory, size_t page_count) {
  for (size_t page = 0; page < page_count; page++) {
    const uint64_t *words = memory + page * WORDS;
    uint64_t wrong_bits = 0;
    for (size_t word = 0; word < WORDS; word++) wrong_bits |= words[word] ^ (pattern_of(page) + word);
    if (wrong_bits == 0) continue;
    for (size_t word = 0; word < WORDS; word++)
      report("written memory", page, word, pattern_of(page) + word, words[word]);
  }
}

int main(int count, char **words) {
  if (count != 2) return 2;
  const size_t size = (size_t)atoi(words[1]) * MIB;
  // Should memory run out, it is us who are killed, and the report says so.
  const int score = open("/proc/self/oom_score_adj", O_WRONLY);
  if (score < 0 || write(score, "1000", 4) != 4) perror("oom_score_adj");
  uint64_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
  madvise(memory, size / 2, MADV_NOHUGEPAGE);
  madvise((char *)memory + size / 2, size / 2, MADV_HUGEPAGE);
  take(memory, size / PAGE);
  write_pattern(memory, size / PAGE);
  read_pattern(memory, size / PAGE);
  if (wrong_count > SHOWN_MAX) printf("%d words of it are wrong\n", wrong_count);
  return 0;
}
