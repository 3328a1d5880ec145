#!/bin/sh
# First process of a test guest. Loads the drivers, runs the workload, then
# obeys the host: one line read from the second serial port is one shell
# command, run here with the functions of commands.sh at hand.
#
# A request is "<number> <command>"; the reply is the command's output, then a
# line of its own "@@<number> <exit status>". Reply 0 says that we are ready, and whether all went well.
# Between two commands the guest blocks in read(2), so a stop finds it quiet.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
exec 7>/dev/kmsg
# The workload fills memory to the brim; whoever is killed then, it is not us.
echo -1000 >/proc/self/oom_score_adj

while read -r module; do
  insmod "/modules/$module" || echo "init: cannot load $module"
done </modules/order

. /commands.sh
. /fill.sh
. /debian.sh
. /live.sh
. /survival.sh

stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
. /workload.sh
printf '\n@@0 %s\n' $? >&3
while read -r number line <&3; do
  case "$line" in
    # The record of page frames must not show a process that is gone afterwards.
    page_record*) eval "$line" >&3 2>&1 </dev/null ;;
    # A subshell: a command may fail in any way without ending the first process.
    *) (eval "$line") >&3 2>&1 </dev/null ;;
  esac
  printf '\n@@%s %s\n' "$number" $? >&3
done
echo 'init: the host closed the command port'
poweroff -f
