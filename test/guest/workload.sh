# The workloads that a guest can be asked for, from the parts in fill.sh and debian.sh.
# Each goes through its memory once. Most rest then; those with programs of Debian go on.

# Some of everything.
mixed() {
  # First, while there are 2 MiB blocks left to take.
  hold_huge
  fill_tmpfs
  hold_anonymous
  fill_page_cache
  anonymous_checksum >/dev/null
}

# The same in a machine that has been used for a while, with memory that must not move.
aged() {
  age_memory
  mixed
  lock_memory
}

# Mostly files, many of them mapped.
cache() {
  fill_page_cache
  map_files
}

# Mostly memory of processes: small, huge, merged, swapped out.
anonymous() {
  fill_hugetlb
  hold_huge
  # Folios between a page and a huge page, where the kernel knows them.
  for size in /sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled; do
    [ -e "$size" ] && echo always >"$size"
  done
  hold partial 16
  hold anonymous 16
  merge_pages
  fill_page_cache
  start_swap
  swap_out
}

# Programs that run on, and their libraries: mapped, idle, at work.
programs() {
  hold_huge
  fill_tmpfs
  hold_anonymous
  fill_page_cache
  enter_root
  start_perl
  start_dash
  start_idle
  hold_rows
  hold mapped /data/files/large-0 /data/files/small/1*
  until [ -s /data/root/run/perl ] && [ -s /data/root/run/dash ]; do usleep 100000; done
  rows_checksum >/dev/null
  anonymous_checksum >/dev/null
}

# A database that is written to all the time.
database() {
  hold_huge
  fill_tmpfs
  hold_anonymous
  fill_page_cache
  enter_root
  make_database
  start_inserting
  until [ "$(last_sequence)" -gt "$DATABASE_FIRST_ROW_COUNT" ]; do usleep 100000; done
  anonymous_checksum >/dev/null
}

# Programs that notice when memory and disk are of two moments.
live() {
  hold anonymous 32
  mount -t "$file_system" /dev/vda /data
  find /data/files -type f | xargs cat >/dev/null
  start_witnesses
}

# What the kernel would do by itself while its pages are being recorded: join small
# pages, and take pages back from CPUs that have been idle for a second. From now on it
# does so once in weeks.
echo 4294967295 >/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs
echo 1000000 >/proc/sys/vm/stat_interval

"$workload"
start_page_reader
remember_processes
mark_log
[ "$workload_status" = 0 ]
