# What workloads are made of: each function fills memory with one kind of page.
# Sizes come from the kernel command line, which hands words it does not know
# to the first process as environment variables.

# 0 unless something could not be done. Of the things that everything else builds on
# only `hold` is likely to fail: where it does, memory has run out.
workload_status=0
hold() {
  /bin/hold "$@" || workload_status=1
}

# What makes a machine look used: free pages that hold somebody's old bytes.
# As much as is available goes through a tmpfs, less a margin that keeps the
# out-of-memory killer asleep; of a large guest only a part, as random bytes come
# slowly under emulation.
age_memory() {
  available_mib=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
  mkdir -p /aged && mount -t tmpfs -o size=95% aged /aged
  fill_mib=$((available_mib - 24))
  [ "$fill_mib" -gt "$fill_mib_max" ] && fill_mib=$fill_mib_max
  dd if=/dev/urandom of=/aged/fill bs=1M count="$fill_mib" 2>/dev/null
  umount /aged
}

# Pages of a regular file, in the states they can be in.
fill_page_cache() {
  mount -t "$file_system" /dev/vda /data
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

# Files as programs and databases map them. The disk's own busybox stands for the
# programs; `hold` says what else there is.
map_files() {
  for number in 1 2 3 4 5 6; do /data/bin/busybox sleep 2147483647 & done
  cd /data/files
  hold mapped large-0 large-1 large-2 small/1*
  hold shared large-3 large-4
  hold patched large-5
  hold pieces large-6 large-7
  cd /
}

# Locked memory, locked files, and a file system that is memory and nothing else.
lock_memory() {
  hold locked 4
  hold lockedfiles /data/files/large-0 /data/files/small/2
  mkdir -p /ramfs && mount -t ramfs ramfs /ramfs
  dd if=/dev/urandom of=/ramfs/random bs=1M count=2 2>/dev/null
}

# A pool of eight huge pages, three of them in use.
fill_hugetlb() {
  echo 8 >/proc/sys/vm/nr_hugepages
  mkdir -p /hugetlb && mount -t hugetlbfs hugetlbfs /hugetlb
  hold huge /hugetlb/file 6
}

# Pages that the kernel merges. It rests afterwards: what is merged stays so.
merge_pages() {
  [ -d /sys/kernel/mm/ksm ] || return 0
  hold merge 8
  echo 4096 >/sys/kernel/mm/ksm/pages_to_scan
  echo 10 >/sys/kernel/mm/ksm/sleep_millisecs
  echo 1 >/sys/kernel/mm/ksm/run
  for attempt in $(seq 100); do
    read -r sharing </sys/kernel/mm/ksm/pages_sharing
    [ "$sharing" -ge 1800 ] && break
    usleep 100000
  done
  echo 0 >/sys/kernel/mm/ksm/run
}

# Compressed swap in memory first, then a file on the disk, which zswap (where there is
# one) keeps compressed pages in front of. Swap that is turned on first is filled first.
start_swap() {
  echo $((24 << 20)) >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
  [ -e /sys/module/zswap ] && echo 1 >/sys/module/zswap/parameters/enabled
  fallocate -l $((96 << 20)) /data/swap
  chmod 600 /data/swap
  mkswap /data/swap >/dev/null && swapon /data/swap
}

# More memory than its control group may have: the rest is swapped out. Reading some of
# it again brings pages in that keep their place in swap.
swap_out() {
  mkdir -p /cgroup && mount -t cgroup2 cgroup2 /cgroup
  echo +memory >/cgroup/cgroup.subtree_control
  mkdir /cgroup/small
  echo $((24 << 20)) >/cgroup/small/memory.max
  # What zswap compresses stays in the group's account.
  [ -e /cgroup/small/memory.zswap.max ] && echo $((4 << 20)) >/cgroup/small/memory.zswap.max
  sh -c 'echo $$ >/cgroup/small/cgroup.procs; exec hold anonymous 72' || workload_status=1
  mount -t tmpfs -o size=75% shm /shm
  sh -c 'echo $$ >/cgroup/small/cgroup.procs; exec dd if=/dev/urandom of=/shm/random bs=1M count=16' \
    2>/dev/null
  dd if=/shm/random of=/dev/null bs=1M count=8 2>/dev/null
}
