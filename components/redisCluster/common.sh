# How the scripts reach a Redis, and what they know of their pod. Runs in any POSIX shell with awk.
: "${SCRIPTS:=/etc/redis}" "${SECRETS:=/etc/redis-passwords}" "${CERTIFICATES:=/etc/redis-tls}"
: "${RUN:=/run/redis}" "${DATA:=/data}" "${PORT:=6379}" "${SENTINEL_PORT:=26379}"

# The name of the pod with this number.
host_of() {
  printf "$PEER_FORMAT" "$1"
}

say() {
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"
}

SOCKET=$RUN/redis.sock
TLS_OPTIONS=${TLS:+--tls --cacert $CERTIFICATES/ca.crt}

# as USER here|HOST[:PORT] COMMAND…: an error is an answer too, so look at what comes. Here goes over a socket of the pod,
# without a name to look up or a certificate to check.
as() (
  user=$1 host=${2%:*} port=${2##*:}
  [ "$port" != "$2" ] || port=$PORT
  shift 2
  # A file need not end with a new line, which is what read would like.
  IFS= read -r REDISCLI_AUTH <"$SECRETS/$user" || [ -n "$REDISCLI_AUTH" ]
  export REDISCLI_AUTH
  where="-h $host -p $port $TLS_OPTIONS"
  [ "$host" != here ] || where="-s $SOCKET"
  # shellcheck disable=SC2086
  timeout 5 redis-cli $where --user "$user" --no-auth-warning "$@" 2>&1 | tr -d '\r'
)

# The value of one field of INFO, from standard input.
field() {
  awk -F: -v key="$1" '$1 == key { print substr($0, length(key) + 2) }'
}

# A password as the configuration file wants it.
quoted() {
  printf '"%s"' "$(sed 's/[\\"]/\\&/g' "$SECRETS/$1")"
}

# Users with their rights from a template, with the hash of each one's password.
users() {
  while read -r _ name rights; do
    if [ "$name" = default ]; then
      echo "user default $rights"
    else
      hash=$(printf %s "$(cat "$SECRETS/$name")" | sha256sum)
      echo "user $name on #${hash%% *} $rights"
    fi
  done <"$1"
}

# Runs a server as the first process of a container. That adopts what probes leave behind, and a Redis never buries it: some kinds
# of timeout leave one process with every call. A shell that waits buries them all.
serve() {
  trap 'kill -TERM "$server"' TERM INT
  "$@" &
  server=$! status=0
  while kill -0 "$server" 2>/dev/null; do
    wait "$server" && status=0 || status=$?
  done
  [ -z "${renewing:-}" ] || kill "$renewing" 2>/dev/null || true
  return "$status"
}

# Does something whenever the certificate is another one than before: it is renewed long before it ends.
when_renewed() {
  [ -n "${TLS:-}" ] || return 0
  known=$(sha256sum <"$CERTIFICATES/tls.crt")
  while sleep "${RENEWAL_SECONDS:-60}" >/dev/null 2>&1; do
    now=$(sha256sum <"$CERTIFICATES/tls.crt")
    [ "$now" = "$known" ] || ! "$@" || known=$now
  done &
  renewing=$!
}

tls_settings() {
  [ -n "${TLS:-}" ] || return 0
  echo "tls-cert-file $CERTIFICATES/tls.crt"
  echo "tls-key-file $CERTIFICATES/tls.key"
  echo "tls-ca-cert-file $CERTIFICATES/ca.crt"
  echo "tls-auth-clients no"
  echo "tls-replication yes"
}

listen() {
  if [ -n "${TLS:-}" ]; then
    echo "port 0"
    echo "tls-port $1"
  else
    echo "port $1"
  fi
}

# For lines of CLUSTER NODES: the name that a node announces, the number of the pod of that name, whether it cannot be reached.
NODES='
function name(address, parts) { split(address, parts, ","); return parts[2] }
function number(host, i) { for (i = 0; i < 100; i++) if (sprintf(format, i) == host) return i; return -1 }
function lost(flags) { return flags ~ /(^|,)(fail[?]?|noaddr)(,|$)/ }
'
