#!/bin/sh
# Before a pod stops: a master hands over to a replica that has everything, so that nobody waits for a failure to be seen.
set -eu
. "${SCRIPTS:=/etc/redis}/common.sh"
SELF=$(host_of "${POD##*-}")

role() {
  as keeper here INFO replication | field role
}

wait_until_replica() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(role)" = master ] || return 0
    "$@"
    sleep 0.5
  done
}

stop_in_cluster() {
  nodes=$(as keeper here CLUSTER NODES)
  for replica in $(echo "$nodes" | awk "$NODES"'
    $3 ~ /myself/ { me = $1 } { address[$1] = $2; master[$1] = $4; sound[$1] = !lost($3) && $8 == "connected" }
    END { for (id in master) if (master[id] == me && sound[id]) print name(address[id]) }'); do
    [ "$(as keeper "$replica" INFO replication | field master_link_status)" = up ] || continue
    as keeper "$replica" CLUSTER FAILOVER
    wait_until_replica true
    [ "$(role)" = master ] || return 0
  done
}

# Some replica has all that was written before writes were held.
replica_has_all() {
  as keeper here INFO replication | awk -F: '
    $1 == "master_repl_offset" { written = $2 }
    $1 ~ /^slave[0-9]+$/ && match($2, /offset=[0-9]+/) { copied = substr($2, RSTART + 7, RLENGTH - 7); if (copied > most) most = copied + 0 }
    END { exit !(most && most >= written - 200) }'
}

# One sentinel at a time: two that begin would elect two.
follow_or_ask() {
  for i in $(seq 0 $((COUNT - 1))); do
    host=$(host_of "$i")
    if [ "$host" != "$SELF" ] && [ "$(as keeper "$host" INFO replication | field role)" = master ]; then
      as keeper here REPLICAOF "$host" "$PORT"
      return
    fi
  done
  for i in $(seq 0 $((COUNT - 1))); do
    host=$(host_of "$i")
    [ "$host" != "$SELF" ] || continue
    case $(as keeper "$host:$SENTINEL_PORT" SENTINEL FAILOVER "$MASTER_NAME") in OK | INPROG*) break ;; esac
  done
}

stop_in_sentinel() {
  as keeper here INFO replication | grep -q '^slave0:.*state=online' || return 0
  as keeper here CLIENT PAUSE 10000 WRITE
  sleep 0.2
  for _ in 1 2 3 4 5; do
    replica_has_all && break
    sleep 0.2
  done
  wait_until_replica follow_or_ask
  as keeper here CLIENT UNPAUSE
}

[ "$(role)" = master ] || exit 0
case $MODE in
  cluster) stop_in_cluster ;;
  sentinel) stop_in_sentinel ;;
esac
