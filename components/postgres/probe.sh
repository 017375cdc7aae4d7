#!/bin/sh
# alive: the server answers, be it that it cannot serve yet. ready: it serves.
set -eu
. "${FILES:=/etc/postgres}/common.sh"
code=0
pg_isready -q -t 5 -h "$SOCKET" || code=$?
case $1 in
  alive) [ "$code" -le 1 ] ;;
  ready) [ "$code" = 0 ] || { [ ! -e "$PGDATA" ] && keeps_nobody_waiting; } ;;
esac
