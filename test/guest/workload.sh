# Fills a fresh guest with every kind of page a snapshot has to tell apart.
# Sizes come from the kernel command line, which hands words it does not know
# to the first process as environment variables.

# What makes a machine look used: free pages that hold somebody's old bytes.
# As much as is available goes through a tmpfs, less a margin that keeps the
# out-of-memory killer asleep.
age_memory() {
  available_mib=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
  mkdir -p /aged && mount -t tmpfs -o size=95% aged /aged
  dd if=/dev/urandom of=/aged/fill bs=1M count=$((available_mib - 24)) 2>/dev/null
  umount /aged
}

# Pages of a regular file, in the states they can be in.
fill_page_cache() {
  mount -t ext4 /dev/vda /data
  # Clean, no buffer heads: only ever read.
  find /data/files -type f | sort | xargs cat >/dev/null
  # Clean with buffer heads: written, then synced.
  mkdir -p /data/written /data/dirty
  dd if=/dev/urandom of=/data/written/file bs=1M count=8 2>/dev/null
  sync
  # From here on nothing is written back by itself, so what is dirty stays dirty.
  echo 0 >/proc/sys/vm/dirty_writeback_centisecs
  # Dirty without a place on disk yet (delayed allocation) ...
  dd if=/dev/urandom of=/data/dirty/file bs=1M count=4 2>/dev/null
  # ... and dirty over blocks that exist, next to clean pages of the same file.
  dd if=/dev/urandom of=/data/files/modified bs=64k seek=3 count=9 conv=notrunc 2>/dev/null
  # Clean, but the file has no name any more: no disk path leads to its bytes.
  dd if=/dev/urandom of=/data/unlinked bs=1M count=2 2>/dev/null
  sync /data/unlinked
  exec 4</data/unlinked
  rm /data/unlinked
  # Mapped: a program started from the disk.
  /data/bin/busybox sleep 2147483647 &
}

fill_tmpfs() {
  mount -t tmpfs -o size=75% shm /shm
  dd if=/dev/urandom of=/shm/random bs=1M count="$tmpfs_mib" 2>/dev/null
  # A hole, read and never written: clean pages without a disk behind them.
  truncate -s 1M /shm/hole
  cat /shm/hole >/dev/null
}

# A process that holds random text in its heap and tells its checksum when asked.
hold_anonymous() {
  mkfifo /run/ask /run/answer
  awk -v fill="head -c ${anonymous_mib}m /dev/urandom | base64 -w 1024" '
    BEGIN {
      while ((fill | getline line) > 0) held[count++] = line
      close(fill)
      for (;;) {
        getline request < "/run/ask"
        close("/run/ask")
        for (i = 0; i < count; i++) print held[i] | "md5sum >/run/answer"
        close("md5sum >/run/answer")
      }
    }' &
}

# Answers once the holder has filled its heap.
anonymous_checksum() {
  echo >/run/ask
  read -r sum rest </run/answer
  echo "$sum"
}

# One buffer large enough for transparent huge pages: dd fills it in one read and
# then sits on it, as nobody empties the pipe. Below 512 MiB of usable memory the
# kernel leaves huge pages off by itself.
hold_huge() {
  echo always >/sys/kernel/mm/transparent_hugepage/enabled
  dd if=/dev/urandom bs=16M count=1 iflag=fullblock 2>/dev/null | sleep 2147483647 &
  huge_pid=$(pidof dd)
}

# The whole buffer: the only mapping of that process which is that large.
huge_checksum() {
  set -- $(awk '/rw-p/ { split($1, range, "-"); print range[1], range[2] }' "/proc/$huge_pid/maps" |
    while read -r first end; do
      pages=$(((0x$end - 0x$first) / 4096))
      [ "$pages" -ge 4096 ] && echo $((0x$first / 4096)) "$pages"
    done)
  dd if="/proc/$huge_pid/mem" bs=4096 skip="$1" count="$2" 2>/dev/null | md5sum | cut -d ' ' -f 1
}

workload() {
  [ "$aged" = 1 ] && age_memory
  # First, while there are 2 MiB blocks left to take.
  hold_huge
  fill_tmpfs
  hold_anonymous
  fill_page_cache
  anonymous_checksum >/dev/null
  start_kpageflags_reader
}
