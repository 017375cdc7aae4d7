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

SOCKET=$RUN/redis.sock
TLS_OPTIONS=${TLS:+--tls --cacert $CERTIFICATES/ca.crt}

# as USER here|HOST[:PORT] COMMAND…: an error is an answer too, so look at what comes. Here goes over a socket of the pod,
# without a name to look up or a certificate to check. After a change of the password not everybody takes the new one yet, or
# the old one still. INPUT is for a command that has its last argument from there (-x).
as() (
  user=$1 host=${2%:*} port=${2##*:}
  [ "$port" != "$2" ] || port=$PORT
  shift 2
  where="-h $host -p $port $TLS_OPTIONS"
  [ "$host" != here ] || where="-s $SOCKET"
  for file in "$SECRETS/$user" "$RUN/logins/$user" "$RUN/logins/$user.old"; do
    [ -e "$file" ] || continue
    # A file need not end with a new line, which is what read would like.
    IFS= read -r REDISCLI_AUTH <"$file" || [ -n "$REDISCLI_AUTH" ]
    export REDISCLI_AUTH
    # shellcheck disable=SC2086
    answer=$(printf %s "${INPUT:-}" | timeout 5 redis-cli $where --user "$user" --no-auth-warning "$@" 2>&1 | tr -d '\r')
    case $answer in *WRONGPASS*) ;; *) break ;; esac
  done
  printf '%s\n' "$answer"
)

# The value of one field of INFO, from standard input.
field() {
  awk -F: -v key="$1" '$1 == key { print substr($0, length(key) + 2) }'
}

# A password as the configuration file wants it.
quoted() {
  printf '"%s"' "$(sed 's/[\\"]/\\&/g' "$SECRETS/$1")"
}

hash_of() {
  hash=$(printf %s "$(cat "$1")" | sha256sum)
  echo "${hash%% *}"
}

# Whether two files hold the same.
same() {
  [ -e "$1" ] && [ -e "$2" ] && [ "$(cat "$1")" = "$(cat "$2")" ]
}

# users TEMPLATE DIRECTORY: users with their rights, with the hash of each one's password, and of the one before where that is
# still good. In the directory is what the server was told.
users() {
  mkdir -p "$2"
  while read -r _ name rights; do
    if [ "$name" = default ]; then
      echo "user default $rights"
    else
      if [ -e "$2/$name" ] && ! same "$SECRETS/$name" "$2/$name"; then
        touch "$2/$name"
        mv "$2/$name" "$2/$name.old"
      fi
      cp "$SECRETS/$name" "$2/$name"
      before=
      [ ! -e "$2/$name.old" ] || before=" #$(hash_of "$2/$name.old")"
      echo "user $name on #$(hash_of "$2/$name")$before $rights"
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
  # shellcheck disable=SC2086
  [ -z "${beside:-}" ] || kill $beside 2>/dev/null || true
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
  beside="${beside:-} $!"
}

# Has a server follow its passwords for as long as it runs.
follow_passwords() {
  sh "$SCRIPTS/passwords.sh" "$1" follow &
  beside="${beside:-} $!"
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
