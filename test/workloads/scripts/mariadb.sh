#!/bin/bash
# A database under load. Progress: transactions done.
. /srv/workloads/tell.sh
. /srv/workloads/sysbench-options.sh
systemctl start mariadb
stdbuf -oL sysbench $sysbench_options --time=0 --report-interval=2 run |
  while read -r _ _ _ _ _ word rate _; do
    [ "$word" = tps: ] || continue
    # Two seconds at that rate; the shell has whole numbers only.
    count=$((${count:-0} + 2 * ${rate%.*}))
    tell $count
  done
