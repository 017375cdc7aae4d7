#!/bin/sh
# Stands by its Redis: gives it its part after a start, finds its peers again after their addresses changed. Each round looks
# anew and may be cut off anywhere.
set -u
. "${SCRIPTS:=/etc/redis}/common.sh"
SELF=$(host_of "${POD##*-}")

# keys HOST: how many, or nothing while it cannot be known.
keys() {
  as keeper "$1" DBSIZE | grep -E '^[0-9]+$'
}

# A data set that was copied from the master, or came from the disk, may succeed; an empty one must not win.
worthy() {
  [ "$(echo "$1" | field master_link_status)" = up ] || [ "$(echo "$1" | field connected_slaves)" != 0 ] || [ "$(keys here)" -gt 0 ] 2>/dev/null
}

others() {
  for i in $(seq 0 $((COUNT - 1))); do
    [ "$i" = "${POD##*-}" ] || host_of "$i"
    echo
  done
}

# What the sentinels agree on: name and state of the master with the newest epoch, where a majority answers.
agreed() {
  for host in "$SELF" $(others); do
    as keeper "$host:$SENTINEL_PORT" SENTINEL MASTER "$MASTER_NAME" |
      awk 'NR % 2 { key = $0; next } { value[key] = $0 } END { if (value["ip"]) print value["config-epoch"], value["ip"], value["flags"] }'
  done | sort -n | awk -v count="$COUNT" '{ last = $2; flags[$1, $2] = flags[$1, $2] $3; epoch = $1 }
    END { if (NR * 2 > count) print last, (flags[epoch, last] ~ /failover/ ? "replaced" : flags[epoch, last] ~ /down/ ? "down" : "sound") }'
}

ask_for_failover() {
  for host in $(others); do
    answer=$(as keeper "$host:$SENTINEL_PORT" SENTINEL FAILOVER "$MASTER_NAME")
    say "asked the sentinel of $host for another master: $answer"
    case $answer in OK | INPROG*) refused=0 && return ;; esac
  done
  refused=$((refused + 1))
}

become_master() {
  refused=0
  say "becoming master: $(as keeper here REPLICAOF NO ONE)"
}

follow() {
  say "following $1: $(as keeper here REPLICAOF "$1" "$PORT")"
}

# A Redis that has just started follows nobody. It becomes master only if a majority of the sentinels holds it for that, no
# other is, and no other has more.
decide() {
  masters= current= filled= silent=
  for host in $(others); do
    state=$(as keeper "$host" INFO replication)
    case $(echo "$state" | field role) in
      master) masters="$masters $host" ;;
      slave)
        [ "$(echo "$state" | field slave_repl_offset)" -le 1 ] || current=$host
        count=$(keys "$host")
        [ -n "$count" ] || silent=$host
        [ "${count:-0}" = 0 ] || filled=$host
        ;;
      *) silent=$host ;;
    esac
  done
  # shellcheck disable=SC2086
  set -- $masters
  if [ $# = 1 ]; then
    follow "$1"
    return
  fi
  [ $# = 0 ] || return
  # shellcheck disable=SC2046
  set -- $(agreed)
  [ $# = 2 ] || return
  # Sentinels hold one that follows nobody for down, and elect another. That is right where a replica is up to date; if they
  # cannot for long, they know of none.
  [ "$2" = down ] && refused=$((refused + 1))
  if [ "$1" != "$SELF" ]; then
    follow "$1"
  elif [ "$2" = sound ] || { [ "$2" = down ] && { [ -z "$current" ] || [ "$refused" -gt 15 ]; }; }; then
    own=$(keys here)
    if [ -n "$current" ] && [ "$refused" -lt 10 ]; then
      ask_for_failover
    elif [ "${own:-0}" -gt 0 ] || [ -z "$filled$silent" ]; then
      become_master
    elif [ -n "$filled" ]; then
      ask_for_failover
    fi
  fi
}

# A master without replicas may be one that the others have replaced.
step_down() {
  for host in $(others); do
    [ "$(as keeper "$host" INFO replication | field role)" != master ] || {
      # shellcheck disable=SC2046
      set -- $(agreed)
      [ "${1:-$SELF}" = "$SELF" ] || [ "$1" != "$host" ] || follow "$host"
      return
    }
  done
}

keep_in_sentinel() {
  # A sentinel looks for changed roles and new replicas every ten seconds, and can do without them for that long.
  [ "$round" -gt 20 ] && [ $((round % 10)) != 0 ] || as keeper "$SELF:$SENTINEL_PORT" SENTINEL DEBUG info-period 2000 >/dev/null
  state=$(as keeper here INFO replication)
  echo "$state" | grep -Eq '^(master_link_status:up|connected_slaves:[1-9])' || pause=1
  case $(echo "$state" | field role) in
    master) [ "$(echo "$state" | field connected_slaves)" != 0 ] || step_down ;;
    slave) if [ "$(echo "$state" | field master_port)" = 1 ]; then decide; fi ;;
    *) return ;;
  esac
  if [ "$(echo "$state" | field slave_priority)" = 0 ] && worthy "$state"; then
    as keeper here CONFIG SET replica-priority 100 >/dev/null
  fi
}

# Peers that this node cannot reach may have an old address of it, or it of them: being met anew tells both.
be_met() {
  me=$(echo "$1" | awk '$3 ~ /myself/ { print $1 }')
  for host in $(echo "$1" | awk "$NODES"'$3 !~ /myself/ && (lost($3) || $8 != "connected") { print name($2) }'); do
    as keeper "$host" CLUSTER NODES | awk -v me="$me" '$1 == me { found = 1 } END { exit !found }' || continue
    as keeper "$host" CLUSTER MEET "$POD_IP" "$PORT" >/dev/null
  done
}

# Redis hears from others where its master is now, but goes on trying the old address.
find_master() {
  [ "$(echo "$2" | field master_link_status)" = down ] || return
  pause=1
  old=$(echo "$2" | field master_host)
  master=$(echo "$1" | awk -v old="$old" '
    { address[$1] = $2; sub(/:.*/, "", address[$1]) } $3 ~ /myself/ { master = $4 }
    END { if (address[master] && address[master] != old) print master }')
  [ -z "$master" ] || say "finding the master again, no longer at $old: $(as keeper here CLUSTER REPLICATE "$master")"
}

# Somebody else has taken the place of a lost node: what is left of it is its entry, in every table that knows it.
forget_replaced() {
  for id in $(echo "$1" | awk "$NODES"'
    lost($3) && NF < 9 { gone[$1] = name($2) } !lost($3) { here[name($2)] = 1 }
    END { for (id in gone) if (gone[id] in here) print id }'); do
    as keeper here CLUSTER FORGET "$id" >/dev/null
  done
}

# A node that lost its volume is new to the others, who still expect the old one: it takes that one's place as a replica.
take_own_place() {
  for i in $(seq 0 31); do
    host=$(host_of "$i")
    [ "$host" != "$SELF" ] || continue
    nodes=$(as keeper "$host" CLUSTER NODES)
    case $nodes in
      *"Name or service not known"* | *"No address associated"*) [ "$i" -lt 3 ] && continue || return ;;
    esac
    [ "$(echo "$nodes" | grep -c connected)" -gt 1 ] || continue
    old=$(echo "$nodes" | awk -v self="$SELF" "$NODES"'name($2) == self && $3 !~ /myself/ && NF < 9 { print $1 }')
    [ -n "$old" ] || return
    say "taking the place of $(echo "$old" | tr '\n' ' ')in the cluster"
    as keeper "$host" CLUSTER MEET "$POD_IP" "$PORT" >/dev/null
    sleep 2
    master=$(echo "$nodes" | awk "$NODES"'
      $3 ~ /master/ && !lost($3) && NF > 8 { count[$1] += 0 }
      $3 ~ /slave/ && !lost($3) { count[$4]++ }
      END { for (id in count) if (best == "" || count[id] < count[best]) best = id; print best }')
    as keeper here CLUSTER REPLICATE "$master" >/dev/null
    return
  done
}

# Masters gather on fewer machines with each failover. Where one machine has two more than this one, the next to lose it
# might lose the majority: take one over, in quiet times only. Uneven shares mean that slots are being moved.
spread_masters() {
  echo "$1" | awk "$NODES"'
    lost($3) || /handshake|disconnected/ { busy = 1 }
    $3 ~ /master/ {
      own = 0
      for (f = 9; f <= NF; f++) { split($f, range, "-"); own += (range[2] == "" ? range[1] : range[2]) - range[1] + 1 }
      if (own > most) most = own
      if (least == "" || own < least) least = own
    }
    END { exit busy || least < most * 0.9 }' || return
  own_master=$(echo "$1" | awk '$3 ~ /myself/ { print $4 }')
  echo "$1" | awk "$NODES"'$3 ~ /master/ && NF > 8 { print $1, name($2) }' | while read -r id host; do
    echo "$id $(as keeper "$host" CONFIG GET syslog-ident | sed -n 2p)"
  done | awk -v mine="$MACHINE" -v master="$own_master" '
    { count[$2]++; if ($1 == master) there = $2 } END { exit !(there && count[there] - count[mine] >= 2) }' || return
  say "taking over from the master, whose machine has too many: $(as keeper here CLUSTER FAILOVER)"
}

keep_in_cluster() {
  nodes=$(as keeper here CLUSTER NODES)
  case $nodes in *myself*) ;; *) return ;; esac
  if [ "$(echo "$nodes" | wc -l)" -le 1 ]; then
    pause=1
    echo "$nodes" | awk 'NF > 8 { exit 1 }' && take_own_place
    return
  fi
  be_met "$nodes"
  forget_replaced "$nodes"
  if ! echo "$nodes" | awk "$NODES"'lost($3) || /nofailover/ { exit 1 }'; then pause=1; fi
  state=$(as keeper here INFO replication)
  find_master "$nodes" "$state"
  if echo "$nodes" | grep -q 'myself.*nofailover' && worthy "$state"; then
    as keeper here CONFIG SET cluster-replica-no-failover no >/dev/null
  fi
  if [ "$(echo "$state" | field master_link_status)" = up ] && [ $((round % (10 + ${POD##*-}))) = 0 ]; then
    spread_masters "$nodes"
  fi
}

round=0 refused=0
trap 'exit 0' TERM INT
while :; do
  round=$((round + 1)) pause=3
  case $MODE in
    sentinel) keep_in_sentinel ;;
    cluster) keep_in_cluster ;;
  esac
  sleep $pause &
  wait $!
done
