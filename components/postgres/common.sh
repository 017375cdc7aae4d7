# Where things are, and how the scripts talk to the server of their pod. Runs in any POSIX shell.
: "${FILES:=/etc/postgres}" "${LOGINS:=/etc/postgres-logins}" "${CERTIFICATES:=/etc/postgres-tls}"
: "${SOCKET:=/run/postgresql}" "${DATA:=/data}" "${TMP:=/tmp}"
PGDATA=$DATA/postgres
PATH=/usr/lib/postgresql/15/bin:$PATH
export PGDATA PATH

say() {
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"
}

# sql OPTION…: as superuser, who can only come by this socket. A statement may hold a password: neither log shows it.
sql() {
  PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c statement_timeout=60s' PGCONNECT_TIMEOUT=5 \
    timeout 90 psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -h "$SOCKET" -U postgres -d postgres "$@"
}
