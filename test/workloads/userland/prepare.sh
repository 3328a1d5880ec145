#!/bin/sh
# Runs inside of the new userland while its image is built: what would take a guest's slow CPU long, and what needs the
# network. Everything a workload needs is there afterwards.
set -eu
cd /srv/workloads

# The full-text index.
javac -d lucene/classes -cp 'lucene/jars/*' FullTextIndex.java

# The C project: the upstream part of Debian's source package, configured, not compiled.
apt-get -q source --download-only --tar-only nginx
mkdir nginx
tar --extract --file nginx_*.orig.tar.gz --directory nginx --strip-components=1
(cd nginx && ./configure --without-http_rewrite_module --without-http_gzip_module >/dev/null)
rm nginx_*

# The database: filled beyond its buffer pool, and stopped properly.
cat >/etc/mysql/mariadb.conf.d/90-workload.cnf <<'END'
[mysqld]
innodb_buffer_pool_size = 512M
END
install -d -o mysql -g mysql /run/mysqld
mariadbd --user=mysql --skip-networking >/dev/null 2>&1 &
server=$!
until mariadb-admin --silent ping >/dev/null 2>&1; do
  kill -0 $server
  sleep 1
done
mariadb -e 'create database sbtest'
. ./sysbench-options.sh
sysbench $sysbench_options prepare
mariadb-admin shutdown
wait $server

# Each is begun by hand, or wants a network that is not there.
systemctl -q disable mariadb
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer man-db.timer dpkg-db-backup.timer
systemctl -q enable pars-agent
systemd-machine-id-setup >/dev/null
echo workloads >/etc/hostname
echo '/dev/vda / ext4 defaults 0 0' >/etc/fstab
apt-get clean
rm -rf /var/lib/apt/lists
