# Programs of Debian, with their libraries, in a root of their own on the data disk. They
# go on working while the guest is stopped, copied and resumed, and tell whether what they
# work on is still what it was.

# Not for what runs on: started through this function, that would have a shell waiting for it,
# and the first process would not see it die.
in_root() {
  chroot /data/root "$@"
}

enter_root() {
  # All loaded. Their files lie in memory, and it is short enough.
  rm /modules/*.ko
  mount -o bind /dev /data/root/dev
  mount -t tmpfs run /data/root/run
  # Cached, whether they will be run or not.
  find /data/root/usr /data/root/lib /data/root/lib64 -type f | xargs cat >/dev/null
}

# A loop in one process, over its heap.
start_perl() {
  chroot /data/root /usr/bin/perl -e '
    open my $random, "<", "/dev/urandom" or die;
    read $random, my $held, 1 << 20;
    my $expected = unpack "%32N*", $held;
    for (my $count = 1; ; $count++) {
      my $found = unpack "%32N*", $held;
      open my $file, ">", "/run/perl.unfinished" or die;
      print $file "$count ", $found == $expected ? "ok" : "expected sum $expected, found $found", "\n";
      close $file;
      rename "/run/perl.unfinished", "/run/perl";
      select undef, undef, undef, 0.5;
    }' &
}

# A loop that starts other programs, over files that are mapped.
start_dash() {
  chroot /data/root /usr/bin/dash -c '
    expected=$(sha256sum /usr/bin/sort /lib/x86_64-linux-gnu/libtinfo.so.6)
    count=0
    while :; do
      found=$(sha256sum /usr/bin/sort /lib/x86_64-linux-gnu/libtinfo.so.6)
      state=ok
      [ "$found" = "$expected" ] || state="expected $expected, found $found"
      count=$((count + 1))
      echo $count $state >/run/dash
      sleep 1
    done' &
}

# Started, and then idle: an empty pipe each.
start_idle() {
  mkfifo /data/root/run/mawk_question /data/root/run/mawk_answer
  chroot /data/root /usr/bin/mawk -W interactive '{ print $1 * 7 >"/run/mawk_answer"; close("/run/mawk_answer") }' \
    </data/root/run/mawk_question &
  exec 8>/data/root/run/mawk_question
  chroot /data/root /usr/bin/sleep 2147483647 &
}

# Rows in the memory of a program that is idle between two questions.
hold_rows() {
  mkfifo /data/root/run/rows_question /data/root/run/rows_answer
  chroot /data/root /usr/bin/sqlite3 -batch :memory: </data/root/run/rows_question &
  exec 9>/data/root/run/rows_question
  echo "CREATE TABLE held (content);
    INSERT INTO held WITH RECURSIVE number (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM number LIMIT 500)
      SELECT randomblob(2000) FROM number;" >&9
}

rows_checksum() {
  echo ".once /run/rows_answer
    SELECT lower(hex(sha3(group_concat(hex(content), ''), 256))) FROM held;" >&9
  read -r sum </data/root/run/rows_answer
  echo "$sum"
}

# Every row can be checked by itself. So can the transactions: each adds rows in twos.
DATABASE_ROW="INSERT INTO entries WITH
  made (content) AS MATERIALIZED (SELECT randomblob(500 + abs(random()) % 6000)),
  last (sequence) AS MATERIALIZED (SELECT coalesce(max(sequence), 0) FROM entries)
  SELECT last.sequence + 1, content, sha3(content) FROM made, last;"
# What is there from the beginning, and never changed.
DATABASE_FIRST_ROW_COUNT=1000

query_database() {
  in_root /usr/bin/sqlite3 -batch -cmd '.timeout 20000' /database/entries.db "$1"
}

make_database() {
  query_database "PRAGMA journal_mode = WAL;
    CREATE TABLE entries (sequence INTEGER PRIMARY KEY, content BLOB, checksum BLOB);
    INSERT INTO entries WITH RECURSIVE
      number (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM number LIMIT $DATABASE_FIRST_ROW_COUNT),
      made (value, content) AS MATERIALIZED (SELECT value, randomblob(500 + abs(random()) % 6000) FROM number)
      SELECT value, content, sha3(content) FROM made;" >/dev/null
}

# Goes on for ever. A short log, so that some of it is moved to the database every few
# seconds. The last statement writes to pages that are there already.
start_inserting() {
  while :; do
    echo "BEGIN IMMEDIATE; $DATABASE_ROW $DATABASE_ROW
      UPDATE entries SET content = zeroblob(700), checksum = sha3(zeroblob(700))
        WHERE sequence > $DATABASE_FIRST_ROW_COUNT AND sequence = (SELECT max(sequence) FROM entries) - 40; COMMIT;"
    sleep 0.2
  done | chroot /data/root /usr/bin/sqlite3 -batch -cmd '.timeout 20000' -cmd 'PRAGMA synchronous = FULL' \
    -cmd 'PRAGMA wal_autocheckpoint = 100' /database/entries.db >/dev/null 2>/data/root/run/database_errors &
}

last_sequence() {
  query_database 'SELECT max(sequence) FROM entries'
}

# Of the oldest rows; that their content fits their checksums is looked at elsewhere.
database_checksum() {
  query_database "SELECT lower(hex(sha3(group_concat(hex(checksum), ''), 256)))
    FROM (SELECT checksum FROM entries WHERE sequence <= $DATABASE_FIRST_ROW_COUNT ORDER BY sequence)"
}
