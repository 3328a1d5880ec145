#!/bin/bash
# Two genomes being aligned, over and over. The second one is in pieces. Progress: pieces whose matches have been found,
# each on both strands, of all alignments.
. /srv/workloads/tell.sh
cd /var/tmp
while :; do
  nucmer --prefix=alignment /srv/workloads/input/reference.fa /srv/workloads/input/query.fa >nucmer.log 2>&1 &
  while kill -0 $! 2>/dev/null; do
    sleep 1
    [ -e alignment.mgaps ] && now=$(grep -c '^>' alignment.mgaps) && tell $((${before:-0} + now))
  done
  wait $! || exit 1
  before=$((${before:-0} + 2 * $(grep -c '^>' /srv/workloads/input/query.fa)))
  tell $before
done
