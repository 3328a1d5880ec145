# What sysbench is told when the tables are made and when they are used: some 600 MiB of them.
sysbench_options='oltp_read_write --mysql-socket=/run/mysqld/mysqld.sock --mysql-user=root --tables=8 --table-size=300000 --threads=4 --rand-type=uniform'
