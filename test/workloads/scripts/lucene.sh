#!/bin/sh
# A full-text index that is built, then asked. Progress: per cent of the text in the index; from 100 on, 100 and one for
# every hundred questions. The program tells it.
# The quick compiler alone: on an emulated CPU the thorough one is not worth its time.
head -c 8M /srv/workloads/input/corpus.txt >/var/tmp/text
exec java -Xmx512m -XX:TieredStopAtLevel=1 -cp '/srv/workloads/lucene/jars/*:/srv/workloads/lucene/classes' \
  FullTextIndex /var/tmp/text /var/lib/full-text-index /run/progress
