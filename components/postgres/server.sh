#!/bin/sh
# Starts Postgres; makes its data first where there are none.
set -eu
. "${FILES:=/etc/postgres}/common.sh"
umask 077

refuse() {
  say "$1" >&2
  exit 1
}

claim
if [ ! -e "$PGDATA" ]; then
  rm -rf "$PGDATA.new"
  initdb -D "$PGDATA.new" -U postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth=reject
  mv "$PGDATA.new" "$PGDATA"
fi
[ -s "$PGDATA/PG_VERSION" ] || refuse "$PGDATA holds no data of Postgres, and is not empty: restore it, or delete the volume"
[ ! -e "$PGDATA/standby.signal" ] || refuse "$PGDATA is a copy of another server's: the mode was replicated, and cannot be single again"
# A volume that was copied or restored may come with the rights that its group has there.
chmod 0700 "$PGDATA"
write_idents

# What a pod is sent at its end would let every client stay as long as it likes.
stop() {
  kill -INT "$server"
}
postgres -D "$PGDATA" -c config_file="$FILES/postgresql.conf" "$@" &
server=$!
trap stop TERM INT
code=0
while kill -0 "$server" 2>/dev/null; do
  code=0
  wait "$server" || code=$?
done
exit "$code"
