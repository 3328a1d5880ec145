#!/bin/sh
# First process of a guest with a userland of Debian on its disk: loads the drivers that reach it, brings the
# workloads' scripts, and hands over.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do
  insmod "/modules/$module" || echo "init: cannot load $module"
done </modules/order
mount -t ext4 /dev/vda /root
# What the workloads are is not part of the disk's image, which takes long to make.
cp /workloads/* /root/srv/workloads/
for path in proc sys dev; do mount --move "/$path" "/root/$path"; done
exec switch_root /root /sbin/init
