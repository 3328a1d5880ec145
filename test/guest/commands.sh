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

# page_record <0 or 1>: has the reader write that record, and tells the size of each of
# its two accounts. Builtins alone, and init.sh calls it without a subshell, so nothing
# is forked.
page_record() {
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

# checksums: one line "<md5>  <name>" for each file and for the memory that two
# processes hold, as far as the workload made them. Files are read as any program would
# read them, through the page cache.
checksums() {
  (cd /data && find files $(ls -d written dirty 2>/dev/null) -type f | sort | xargs md5sum)
  (cd / && find shm -type f | sort | xargs -r md5sum)
  [ -e /proc/$$/fd/4 ] && echo "$(md5sum </proc/$$/fd/4 | cut -d ' ' -f 1)  unlinked"
  [ -e /run/ask ] && echo "$(anonymous_checksum)  anonymous"
  [ -n "$huge_pid" ] && echo "$(huge_checksum)  huge"
  :
}
