#!/bin/bash
# A machine that has been used for a while: all of its programs were read, many processes came and went, memory was taken
# and given back. Progress: pieces of work done.
. /srv/workloads/tell.sh

read_programs() {
  find "$1" -xdev -type f -print0 | xargs -0 cat >/dev/null
}

run_processes() {
  for _ in {1..60}; do
    ls -l /etc | sort | awk '{ size += $5 } END { print size }' >/dev/null
  done
}

# Memory of a process, then of files without a disk, then of files that are deleted soon.
take_and_give_back() {
  perl -e 'my @kept = map { $_ x 400 } 1 .. 150000; delete @kept[grep { $_ % 3 } 0 .. $#kept]'
  cat /var/lib/mysql/sbtest/*.ibd | head -c 200M >/dev/shm/taken
  rm /dev/shm/taken
  cat /var/lib/mysql/sbtest/*.ibd | head -c 100M >/var/tmp/taken
  sync
  rm /var/tmp/taken
}

while :; do
  for work in 'read_programs /usr/lib' 'run_processes' 'take_and_give_back' 'read_programs /usr'; do
    $work
    count=$((${count:-0} + 1))
    tell $count
  done
done
