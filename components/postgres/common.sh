# Where things are, and how the scripts talk to the server of their pod. Runs in any POSIX shell.
: "${FILES:=/etc/postgres}" "${LOGINS:=/etc/postgres-logins}" "${CERTIFICATES:=/etc/postgres-tls}"
: "${SOCKET:=/run/postgresql}" "${DATA:=/data}" "${TMP:=/tmp}"
PGDATA=$DATA/postgres
PATH=/usr/lib/postgresql/15/bin:$PATH
export PGDATA PATH

say() {
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"
}

# Whom the kernel names to the server, and who that is to it.
write_idents() {
  printf 'pod %s postgres\npod %s replicator\npod nobody exporter\n' "$(id -un)" "$(id -un)" >"$TMP/pg_ident.conf"
}

# For libpq wherever one server talks to another; it takes no file that others can read.
write_passwords() {
  for login in replicator rewinder; do
    printf '*:*:*:%s:%s\n' "$login" "$(sed 's/[\\:]/\\&/g' "$LOGINS/$login")"
  done >"$SOCKET/pgpass.new"
  chmod 0600 "$SOCKET/pgpass.new"
  mv "$SOCKET/pgpass.new" "$SOCKET/pgpass"
}

# sql OPTION…: as superuser, who can only come by this socket. A statement may hold a password: neither log shows it. It waits for
# no copy, because a copy may wait for it.
sql() {
  quiet='-c log_statement=none -c log_min_error_statement=panic -c statement_timeout=60s -c synchronous_commit=local'
  PGOPTIONS=$quiet PGCONNECT_TIMEOUT=5 PGREQUIREPEER=$(id -un) \
    timeout 90 psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -h "$SOCKET" -U postgres -d postgres "$@"
}

# Where no server leads yet, one that holds nothing is ready to be asked: pods are replaced from the last to the first, each once
# the one before is ready, and the first may be the one with the data.
keeps_nobody_waiting() {
  [ "$MODE" = replicated ] && python3 "$FILES/ask.py" leaderless
}

# One server at a time, whatever Kubernetes believes: a pod that is deleted by force may still write when the next one starts. The
# kernel holds the lock for the server and all that it starts, and lets go of it with the last of them.
claim() {
  exec 9>"$DATA/lock"
  ! flock -n 9 || return 0
  say "another server has the data still: waiting until it has ended"
  trap 'exit 0' TERM INT
  until flock -w 1 9; do :; done
  trap - TERM INT
}
