#!/bin/sh
# Stands by its server: gives everybody in the Secret a login, and each application a database; follows passwords that were
# changed, and has a renewed certificate read. Each round looks anew and may be cut off anywhere.
# keeper.sh now: has it give applications their changed passwords at once.
# keeper.sh accepts ROLE DATABASE: says yes or no to the password on the standard input, as to a client over the network.
set -u
. "${FILES:=/etc/postgres}/common.sh"
umask 077
DONE=$TMP/done HELD=$TMP/held NOW=$TMP/now
PAUSE=${PAUSE:-5}

sum_of() {
  sha256sum <"$1" | cut -d' ' -f1
}

# once NAME STATE COMMAND…: unless it went well with this state before.
once() {
  name=$1 state=$2
  shift 2
  [ "$(cat "$DONE/$name" 2>/dev/null)" != "$state" ] || return 0
  "$@" || return 1
  echo "$state" >"$DONE/$name"
  say "applied: $name"
}

# The file of an application's password has a name that says all the rest: ROLE.DATABASE.CONNECTIONS
applications() {
  for file in "$LOGINS"/*.*.*; do
    [ ! -e "$file" ] || basename "$file"
  done
}

application() {
  rest=${1#*.}
  sql -v role="${1%%.*}" -v database="${rest%%.*}" -v connections="${rest#*.}" -v file="$LOGINS/$1" -f "$FILES/application.sql"
}

own_login() {
  sql -v file="$LOGINS/$1" -f "$FILES/$1.sql"
}

# A role has one password. A client that has another one already comes with the former as well, one that has none yet could not:
# so a change is held until every client can be expected to have heard of it.
due() {
  sum=$(sum_of "$LOGINS/$1")
  known=$(sed 's/.* //' "$DONE/$1" 2>/dev/null)
  [ -n "$known" ] && [ "$known" != "$sum" ] || return 0
  [ "$(cat "$HELD/$1" 2>/dev/null)" = "$sum" ] || { echo "$sum" >"$HELD/$1" && say "held: $1"; }
  [ -e "$NOW.begun" ] || [ $(($(date +%s) - $(date -r "$HELD/$1" +%s))) -ge "${HOLD_SECONDS:-0}" ]
}

# What only servers with copies need: passwords for each other, and settings that they agree on.
among_servers() {
  [ "$MODE" = replicated ] || return 0
  once passwords "$(sum_of "$LOGINS/replicator") $(sum_of "$LOGINS/rewinder")" write_passwords || failed=1
  once settings "$started" python3 "$FILES/ask.py" settle || failed=1
  once reload "$started $certificate" python3 "$FILES/ask.py" reload || failed=1
}

logins() {
  listed=$(applications)
  roles=$(echo "$listed" | cut -d. -f1 | tr '\n' ' ')
  for name in $OWN; do
    once "$name" "$started $(sum_of "$LOGINS/$name")" own_login "$name" || failed=1
  done
  for name in $listed; do
    due "$name" || continue
    once "$name" "$started $(sum_of "$LOGINS/$name")" application "$name" || failed=1
  done
  once others "$started $roles" sql -o /dev/null -v listed="$roles" -f "$FILES/others.sql" || failed=1
}

# A server that was started anew, or that takes the writes from now on, is told everything again.
round() {
  failed=
  pg_isready -q -t 5 -h "$SOCKET" || return 1
  started=$(sql -c 'SELECT extract(epoch FROM pg_postmaster_start_time()), pg_is_in_recovery()') || return 1
  certificate=$(sum_of "$CERTIFICATES/tls.crt")
  once certificate "$started $certificate" sql -o /dev/null -c 'SELECT pg_reload_conf()' || failed=1
  among_servers
  case $started in
    *f) once setup "$started" sql -f "$FILES/setup.sql" && logins || failed=1 ;;
  esac
  [ -z "$failed" ]
}

now() {
  touch "$NOW"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    sleep 1
    [ -e "$NOW" ] || [ -e "$NOW.begun" ] || exit 0
  done
  say "the keeper did not give anybody another password within 15 s: its log says why"
  exit 1
}

accepts() {
  IFS= read -r PGPASSWORD || [ -n "$PGPASSWORD" ]
  export PGPASSWORD
  answer=$(psql -XqAt "host=localhost sslmode=verify-full sslrootcert=$CERTIFICATES/ca.crt user=$1 dbname=$2 connect_timeout=5" -c 'SELECT 1' 2>&1)
  case $answer in
    1) echo yes ;;
    *"authentication failed"*) echo no ;;
    *) say "$answer" >&2 && exit 1 ;;
  esac
}

case ${1:-} in
  now) now ;;
  accepts) accepts "$2" "$3" && exit 0 ;;
esac

trap 'exit 0' TERM INT
mkdir -p "$DONE" "$HELD"
while :; do
  [ ! -e "$NOW" ] || mv "$NOW" "$NOW.begun"
  if round; then
    rm -f "$NOW.begun"
    touch "$TMP/ready"
  elif [ ! -e "$TMP/ready" ] && ! pg_isready -q -h "$SOCKET" && keeps_nobody_waiting; then
    touch "$TMP/ready"
  fi
  sleep "$PAUSE" &
  wait $!
done
