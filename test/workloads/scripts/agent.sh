#!/bin/bash
# The guest's end of the second serial port, as test/guest/init.sh is in guests without Debian, and test/guest/command-port.ts
# the host's.
exec 3<>/dev/ttyS1
stty -F /dev/ttyS1 raw -echo

# start_workload <name>: it goes on by itself.
start_workload() {
  echo 0 >/run/progress
  systemd-run --quiet --unit=workload "/srv/workloads/$1.sh"
}

# progress: how far it is, in a unit of its own, and whether it still runs.
progress() {
  echo "$(cat /run/progress) $(systemctl is-active workload)"
}

# How long it takes until everything has started is no business of ours; the host wants to know that it has.
systemctl is-system-running --wait >/dev/null
printf '\n@@0 0\n' >&3
while read -r number line <&3; do
  (eval "$line") >&3 2>&1 </dev/null
  printf '\n@@%s %s\n' "$number" $? >&3
done
