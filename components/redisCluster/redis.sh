#!/bin/sh
# Starts Redis with what only this pod knows: its name, its users, its certificate.
set -eu
. "${SCRIPTS:=/etc/redis}/common.sh"
umask 077
claim
SELF=$(host_of "${POD##*-}")

settings() {
  echo "include $SCRIPTS/redis.conf"
  listen "$PORT"
  tls_settings
  echo "unixsocket $SOCKET"
  echo "unixsocketperm 700"
  echo "dir $DATA"
  echo "aclfile $RUN/users.acl"
  [ "$MODE" = standalone ] || printf 'masteruser replication\nmasterauth %s\n' "$(quoted replication)"
  # What a data set is worth as a successor is known once it is loaded or copied; the keeper lifts this then.
  case $MODE in
    sentinel)
      echo "replica-announce-ip $SELF"
      echo "replica-announce-port $PORT"
      echo "replica-priority 0"
      # Nobody's replica: it takes no write before the keeper knows who is master.
      echo "replicaof 127.0.0.1 1"
      ;;
    cluster)
      echo "cluster-announce-ip $POD_IP"
      echo "cluster-announce-hostname $SELF"
      echo "cluster-replica-no-failover yes"
      [ -z "${TLS:-}" ] || echo "tls-cluster yes"
      # Nothing is sent to a syslog: here others can read which machine this pod is on.
      echo "syslog-ident $MACHINE"
      ;;
  esac
}

# The replicas of this node by its own table, as it was when it stopped; nothing where it was no master with slots.
replicas_of_mine() {
  [ -f "$DATA/nodes.conf" ] || return 0
  awk "$NODES"'
    { address[$1] = $2; master[$1] = $4 }
    $3 ~ /myself/ && $3 ~ /master/ && NF > 8 { me = $1 }
    END { if (me) for (id in master) if (master[id] == me) print name(address[id]) }' "$DATA/nodes.conf"
}

# A master that comes back at once may lack the last writes that its replica confirmed: the file is written behind. So the
# replica goes first where it followed until now, and this node then follows it.
hand_over() {
  for replica in $(replicas_of_mine); do
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      state=$(as keeper "$replica" INFO replication) || break
      [ "$(echo "$state" | field role)" != master ] || return 0
      [ "$(echo "$state" | field slave_repl_offset)" -gt 1 ] 2>/dev/null || break
      say "asking $replica to take over: $(as keeper "$replica" CLUSTER FAILOVER FORCE)"
      sleep 1
    done
  done
}

take_certificate() {
  answer=$(as keeper here CONFIG SET tls-cert-file "$CERTIFICATES/tls.crt" tls-key-file "$CERTIFICATES/tls.key" \
    tls-ca-cert-file "$CERTIFICATES/ca.crt")
  say "renewed certificate: $answer"
  [ "$answer" = OK ]
}

users "$SCRIPTS/users.acl" "$RUN/logins" >"$RUN/users.acl"
settings >"$RUN/redis.conf"
[ "$MODE" != cluster ] || hand_over
when_renewed take_certificate
follow_passwords redis
serve redis-server "$RUN/redis.conf" "$@"
