# What a resumed guest is asked to find out whether it survived. Each function prints what
# is wrong, one line each, with what was expected and what was found; nothing if all is
# well. survival.ts calls them in turn.

expect() {
  [ "$2" = "$3" ] || echo "$1: expected ${2:-nothing}, found ${3:-nothing}"
}

# wait_for <command...>: until it succeeds, or for a quarter of a minute.
wait_for() {
  for attempt in $(seq 75); do
    "$@" && return
    usleep 200000
  done
  false
}

drop_caches() {
  sync
  echo 3 >/proc/sys/vm/drop_caches
}

# What ran when the workload was done runs still.
survival_processes() {
  for process in $workload_processes; do
    found=gone
    if read -r _ name state _ 2>/dev/null <"/proc/${process%%:*}/stat"; then
      case "$state" in Z | X) found="dead ($state)" ;; *) found=$name ;; esac
    fi
    expect "process ${process%%:*}" "${process#*:}" "$found"
  done
}

# Memory that `hold` holds; all of them look at the same time.
survival_held() {
  pids=$(pidof hold) || return 0
  # Under their group's limit each page that is read pushes another one out, and where the disk
  # is slow there is soon none left to push.
  [ -e /cgroup/small ] && echo max >/cgroup/small/memory.max
  for pid in $pids; do
    rm -f "/run/held-$pid"
    kill -USR1 "$pid"
  done
  for pid in $pids; do
    until [ -e "/run/held-$pid" ]; do
      [ -e "/proc/$pid/fd/0" ] || break
      usleep 50000
    done
    expect "memory of process $pid ($(tr '\000' ' ' <"/proc/$pid/cmdline"))" ok "$(cat "/run/held-$pid")"
  done
}

# What the workload keeps doing goes on.
survival_work() {
  case "$workload" in
    programs) survival_of_programs ;;
    database) survival_of_database ;;
  esac
}

survival_of_programs() {
  for name in perl dash; do
    wait_for read_count
    before=$count
    wait_for has_counted_on || echo "counter of $name: expected more than $before, found $count"
    expect "work of $name" ok "$state"
  done
  # It can be asked once.
  [ -e /run/mawk_asked ] && return
  : >/run/mawk_asked
  echo 6 >&8
  read -r answer </data/root/run/mawk_answer
  expect 'mawk, idle since its start' 42 "$answer"
}

# A shell that writes a file empties it first.
read_count() {
  read -r count state <"/data/root/run/$name"
  [ -n "$state" ]
}

has_counted_on() {
  read_count && [ "$count" -ge $((before + 2)) ]
}

survival_of_database() {
  read -r last </run/last_sequence
  before=$(last_sequence)
  [ "${before:-0}" -ge "$last" ] || echo "last row: expected at least $last, found ${before:-none}"
  wait_for has_inserted_on || echo "inserts: expected more than ${before:-no} rows, found ${now:-none}"
  expect 'rows: those missing, wrong, and half a transaction' '0|0|0' "$(query_database '
    SELECT max(sequence) - count(*), coalesce(sum(checksum <> sha3(content)), 0), count(*) % 2 FROM entries')"
  expect integrity_check ok "$(query_database 'PRAGMA integrity_check')"
  expect 'complaints of the inserting process' '' "$(cat /data/root/run/database_errors)"
}

has_inserted_on() {
  now=$(last_sequence)
  [ "${now:-0}" -ge $((before + 4)) ]
}

# Programs that have not run yet: cached or not, as they happen to be.
survival_of_new_programs() {
  expect 'a program of the disk' 42 "$(/data/bin/busybox expr 6 '*' 7 2>&1)"
  [ -e /data/root ] || return 0
  expect 'bash of the disk' 42 "$(in_root /usr/bin/bash -c 'echo $((6 * 7))' 2>&1)"
  expect 'sort of the disk' 'a b ' "$(printf 'b\na\n' | in_root /usr/bin/sort 2>&1 | tr '\n' ' ')"
}

# Files that are changed and changed back. Not those that other workloads have mapped.
CHANGED_FILES='files/small/20 files/small/21 written/file'

# change_files <round>: appends to each file and rewrites a piece across two of its pages,
# on the disk and in a copy that lies in memory.
change_files() {
  for file in $CHANGED_FILES; do
    for path in "/data/$file" "/run/changed/$file"; do
      echo "appended in round $1" >>"$path"
      echo "rewritten in round $1" | dd of="$path" bs=1 seek=4090 conv=notrunc 2>/dev/null
    done
  done
}

compare_files() {
  drop_caches
  for file in $CHANGED_FILES; do
    expect "/data/$file, $1" "$(md5sum <"/run/changed/$file")" "$(md5sum <"/data/$file")"
  done
}

survival_of_writing() {
  mkdir -p /data/survival
  for file in $CHANGED_FILES; do
    mkdir -p "/run/original/${file%/*}" "/run/changed/${file%/*}"
    cp "/data/$file" "/run/original/$file"
    cp "/data/$file" "/run/changed/$file"
  done
  dd if=/dev/urandom of=/run/new bs=1M count=2 2>/dev/null
  cp /run/new /data/survival/new
  # A program that has just been written.
  cp /data/bin/busybox /data/survival/busybox
  change_files 1
  compare_files 'changed while cached'
  expect 'a new file' "$(md5sum </run/new)" "$(md5sum </data/survival/new)"
  expect 'a new program' 42 "$(/data/survival/busybox expr 6 '*' 7 2>&1)"
  # Their pages are not there now, and must be read before a piece of them is written.
  drop_caches
  change_files 2
  compare_files 'changed while not cached'
  for file in $CHANGED_FILES; do cat "/run/original/$file" >"/data/$file"; done
  rm -r /run/original /run/changed /run/new /data/survival
  drop_caches
}

# Four fifths of the memory that there is. Where huge pages are on, the kernel keeps more in
# reserve than the last fifth has to spare; zswap would fill a fifth all by itself.
survival_of_pressure() {
  echo 8192 >/proc/sys/vm/min_free_kbytes
  [ -e /sys/module/zswap ] && echo 4 >/sys/module/zswap/parameters/max_pool_percent
  press "$(awk '/^MemTotal/ { print int($2 * 0.8 / 1024) }' /proc/meminfo)" 2>&1
  expect 'exit status of the program that takes memory' 0 $?
}

# The kernel's log since the last mark.
log_since_mark() {
  dmesg | awk '/pars-mark/ { count = 0; next } { lines[count++] = $0 } END { for (i = 0; i < count; i++) print lines[i] }'
}
