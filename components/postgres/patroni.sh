#!/bin/sh
# Starts Patroni, which starts Postgres: as the server that takes the writes, or as a copy of it.
set -eu
. "${FILES:=/etc/postgres}/common.sh"
umask 077
claim
write_idents
write_passwords
mkdir -p "$TMP/patroni"
cp "$FILES/patroni.yml" "$TMP/patroni/1.yml"
# Data that were cut off while they were made or copied lack what comes last: they are made or copied anew.
if [ -e "$PGDATA" ] && [ ! -e "$PGDATA/global/pg_control" ]; then
  say "$PGDATA is not whole, and is removed"
  rm -rf "$PGDATA"
fi
# One server alone may make the first data, so that it is known whose beginning was cut off.
if [ "${POD##*-}" = 0 ]; then
  cp "$FILES/bootstrap.yml" "$TMP/patroni/2.yml"
  [ -e "$PGDATA" ] || python3 "$FILES/begin.py" "$TMP/patroni"
fi
exec ${PATRONI:-patroni} "$TMP/patroni"
