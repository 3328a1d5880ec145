#!/bin/sh
# A C project being compiled. Progress: object files.
. /srv/workloads/tell.sh
cd /srv/workloads/nginx
make -j2 >/var/log/make.log 2>&1 &
while kill -0 $! 2>/dev/null; do
  tell "$(find objs -name '*.o' | wc -l)"
  sleep 1
done
wait $!
