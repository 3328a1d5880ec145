# The witnesses (witness.c) of the workload `live`: three programs that go on while the guest is captured, and can be
# asked what they saw.

witness_pages=1024

start_witnesses() {
  # A page that the kernel moves leaves its old bytes behind, and the host would find both.
  echo 0 >/proc/sys/vm/compact_unevictable_allowed
  mkdir /data/records
  # The port of a virtio-serial device, where the guest has one.
  for tick_port in /dev/vport*p1; do [ -e "$tick_port" ] || tick_port=/dev/null; done
  start_witness ticks "$tick_port"
  start_witness pages "$witness_pages"
  start_witness records /data/records
  for role in ticks pages records; do witness "$role" >/dev/null || return; done
}

start_witness() {
  /bin/witness "$@" &
  echo $! >"/run/witness-$1.pid"
  # Until it has blocked SIGUSR1, that would end it.
  until grep -q '^SigBlk:.*[2367abef]..$' "/proc/$!/status"; do
    [ -e "/proc/$!/status" ] || return
    usleep 20000
  done
}

# witness <role>: its figures, and a line `wrong: ...` for everything that is.
witness() {
  read -r pid <"/run/witness-$1.pid"
  rm -f "/run/witness-$1"
  kill -USR1 "$pid" || return
  until [ -e "/run/witness-$1" ]; do
    [ -e "/proc/$pid/fd/0" ] || return
    usleep 20000
  done
  cat "/run/witness-$1"
}

# pause_records and continue_records: nothing is written to the disk in between.
pause_records() {
  kill -STOP "$(cat /run/witness-records.pid)" && sync
}

continue_records() {
  kill -CONT "$(cat /run/witness-records.pid)"
}

# From here on the disk is as a machine that was shut down leaves it.
unmount_data() {
  for role in ticks pages records; do kill -KILL "$(cat "/run/witness-$role.pid")"; done
  wait_for umount /data
}
