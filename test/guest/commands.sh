# What the host may ask of a guest, as shell functions. Each prints plain text;
# what comes in megabytes goes to a slot of the spare disk instead, as a serial
# port is slow.

# start_kpageflags_reader: two processes that will write the kernel's own record of
# every page frame to the spare disk, twice, each time when told. They live from
# before the first record until after the second and allocate nothing in between:
# memory freed after the one record would be found by the next, and both would call
# it in use. So tail, which opens everything first and has one buffer for life; it
# waits for the end of a FIFO that this shell holds open. The last one never ends, so
# that the writer is there to be asked how far it is.
start_kpageflags_reader() {
  record_bytes=$(cat /proc/kpageflags | wc -c)
  mkfifo /run/kpageflags_0 /run/kpageflags_1 /run/kpageflags_end
  tail -q -c +1 /run/kpageflags_0 /proc/kpageflags /run/kpageflags_1 /proc/kpageflags \
    /run/kpageflags_end |
    dd of=/dev/vdb bs=256k iflag=fullblock conv=notrunc oflag=direct 2>/dev/null &
  record_writer=$!
  exec 5>/run/kpageflags_0 6>/run/kpageflags_1 7>/run/kpageflags_end
}

# kpageflags <0 or 1>: has the reader write that record. Builtins alone, and init.sh
# calls it without a subshell, so nothing is forked. A record is a multiple of 256 KiB,
# as it ends at a multiple of 128 MiB of RAM.
kpageflags() {
  case "$1" in
    0) exec 5>&- ;;
    1) exec 6>&- ;;
  esac
  while read -r key position <"/proc/$record_writer/fdinfo/1" &&
    [ "$position" -lt $((record_bytes * ($1 + 1))) ]; do :; done
  echo "$record_bytes"
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
# processes hold. Files are read as any program would read them, through the page
# cache.
checksums() {
  (cd /data && find files written dirty -type f | sort | xargs md5sum) &&
    (cd / && find shm -type f | sort | xargs md5sum) &&
    echo "$(md5sum </proc/$$/fd/4 | cut -d ' ' -f 1)  unlinked" &&
    echo "$(anonymous_checksum)  anonymous" &&
    echo "$(huge_checksum)  huge"
}
