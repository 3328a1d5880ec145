# What the host may ask of a guest, as shell functions. Each prints plain text;
# what comes in megabytes goes to a slot of the spare disk instead, as a serial
# port is slow.

# start_page_reader: page-reader.c, which will write two records of page frames to the
# spare disk. Each channel stays open.
start_page_reader() {
  mkfifo /run/record_question /run/record_answer
  page-reader </run/record_question >/run/record_answer &
  exec 5>/run/record_question 6</run/record_answer
}

# mark_log: what the kernel logs from here on is news to whoever looks at a copy. The channel
# is open already: nothing is forked here either.
mark_log() {
  echo pars-mark >&7
}

# page_record <0 or 1>: has the reader write that record, and tells the size of each of
# its two accounts. Builtins alone, and init.sh calls it without a subshell, so nothing
# is forked.
page_record() {
  [ "$1" = 0 ] && mark_log
  echo "$1" >&5
  read -r account_bytes <&6
  echo "$account_bytes"
}

# kallsyms: the kernel's symbols, after the room for page records. Goes through a
# file, as this one comes in odd pieces; ask a guest whose memory nobody wants to look
# at any more. Tells how many blocks of 256 KiB were written.
kallsyms() {
  cat /proc/kallsyms >/run/kallsyms
  dd if=/run/kallsyms of=/dev/vdb bs=256k seek=$((kallsyms_at_mib * 4)) \
    conv=notrunc,sync oflag=direct 2>&1
}

# checksums: one line "<checksum>  <name>" for each file and for the memory that some
# processes hold, as far as the workload made them. Files are read as any program would
# read them, through the page cache.
checksums() {
  # The rows beyond the first ones have no checksum that stays; of them at least as many must be found later.
  [ -e /data/root/database/entries.db ] && last_sequence >/run/last_sequence
  file_checksums
  memory_checksums
}

file_checksums() {
  (cd /data && find files $(ls -d written dirty root/usr root/lib root/lib64 2>/dev/null) -type f | sort | xargs md5sum)
  [ -e /proc/$$/fd/4 ] && echo "$(md5sum </proc/$$/fd/4 | cut -d ' ' -f 1)  unlinked"
  [ -e /data/root/database/entries.db ] && echo "$(database_checksum)  database"
  :
}

memory_checksums() {
  (cd / && find shm -type f | sort | xargs -r md5sum)
  [ -e /run/ask ] && echo "$(anonymous_checksum)  anonymous"
  [ -n "$huge_pid" ] && echo "$(huge_checksum)  huge"
  [ -e /data/root/run/rows_question ] && echo "$(rows_checksum)  rows"
  :
}

# remember_processes: the children of the first process, which are to go on. Theirs come and
# go.
remember_processes() {
  workload_processes=
  for path in /proc/[0-9]*/stat; do
    read -r pid name state parent rest 2>/dev/null <"$path" || continue
    [ "$parent" = 1 ] && workload_processes="$workload_processes $pid:$name"
  done
}
