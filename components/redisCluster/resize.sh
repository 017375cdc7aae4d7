#!/bin/sh
# resize.sh shrink|grow MASTERS REPLICAS: brings the cluster to a size, whatever an earlier run left half done. `shrink` runs
# before pods are taken away and empties them, `grow` after pods have come and fills them.
set -eu
. "${SCRIPTS:=/etc/redis}/common.sh"
DIRECTION=$1 MASTERS=$2 REPLICAS=$3
TOTAL=$((MASTERS * (1 + REPLICAS)))
: "${PATIENCE:=120}"
SURVEY=$RUN/survey

fail() {
  say "failed: $*"
  exit 1
}

# within SECONDS WHAT COMMAND…
within() {
  end=$(($(date +%s) + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || fail "$what, not in time; last seen (ordinal id address role master slots machine known keys): $(cat "$SURVEY")"
    sleep 1
  done
}

# One line for each pod below a number that answers: ordinal id ip role master slots machine known keys.
survey() {
  for i in $(seq 0 $(($1 - 1))); do
    nodes=$(as resize "$(host_of "$i")" CLUSTER NODES)
    case $nodes in *myself*) ;; *) continue ;; esac
    machine=$(as resize "$(host_of "$i")" CONFIG GET syslog-ident | sed -n 2p)
    keys=$(as resize "$(host_of "$i")" DBSIZE)
    echo "$nodes" | awk -v ordinal="$i" -v machine="${machine:-unknown}" -v keys="$keys" '
      $3 !~ /handshake/ { known++ }
      $3 ~ /myself/ {
        id = $1; ip = $2; sub(/:.*/, "", ip); role = $3 ~ /slave/ ? "slave" : "master"; master = $4
        for (f = 9; f <= NF; f++) if ($f !~ /^\[/) { split($f, range, "-"); slots += (range[2] == "" ? range[1] : range[2]) - range[1] + 1 }
      }
      END { print ordinal, id, ip, role, master, slots + 0, machine, known, keys }'
  done >"$SURVEY"
}

all_answer() {
  survey "$1"
  [ "$(grep -c . "$SURVEY")" = "$1" ]
}

all_know() {
  survey "$1"
  awk -v total="$1" '$8 != total { bad = 1 } END { exit bad || NR != total }' "$SURVEY"
}

cluster() {
  REDISCLI_AUTH=$(cat "$SECRETS/resize")
  export REDISCLI_AUTH
  command=$1
  shift
  # shellcheck disable=SC2086
  redis-cli --user resize --no-auth-warning $TLS_OPTIONS --cluster "$command" "$@" --cluster-yes >"$RUN/cluster.log" 2>&1 </dev/null && return
  tail -n 5 "$RUN/cluster.log"
  return 1
}

# The survey's nodes that may become masters, one machine after the other.
by_machine() {
  awk '{ print rank[$7]++, $0 }' | sort -n -k1,1 -k2,2 | cut -d' ' -f2-
}

field_of() {
  awk -v ordinal="$1" -v field="$2" '$1 == ordinal { print $field }' "$SURVEY"
}

reset() {
  say "pod $1 starts anew: $(as resize "$(host_of "$1")" CLUSTER RESET "$2")"
}

create() {
  say "no pod knows a cluster: forming one of $MASTERS masters"
  # shellcheck disable=SC2046
  cluster create $(by_machine <"$SURVEY" | awk -v masters="$MASTERS" -v port="$PORT" 'NR <= masters { print $3 ":" port }') ||
    fail "the cluster could not be formed"
}

# Somebody who is in: with slots, and acquainted with the most.
member() {
  sort -k8,8nr -k6,6nr "$SURVEY" | awk 'NR == 1 { print $1 }'
}

form_or_find() {
  slots=$(awk '{ slots += $6 } END { print slots + 0 }' "$SURVEY")
  blank=$(awk '$6 > 0 || $8 > 1 { known = 1 } END { print !known }' "$SURVEY")
  keys=$(awk '$9 != "0" { keys = 1 } END { print keys + 0 }' "$SURVEY")
  if [ "$blank" = 0 ] && [ "$slots" -lt 16384 ] && [ "$keys" = 0 ] && [ "$(grep -c . "$SURVEY")" = "$TOTAL" ]; then
    # An earlier run was cut off while it formed the cluster; nothing was ever stored in it.
    for i in $(awk '{ print $1 }' "$SURVEY"); do reset "$i" HARD; done
    survey "$TOTAL"
    blank=1
  fi
  if [ "$blank" = 1 ]; then create; fi
}

invite() {
  survey "$TOTAL"
  host=$(host_of "$(member)")
  known=$(as resize "$host" CLUSTER NODES | awk "$NODES"'!lost($3) && $3 !~ /handshake/ { print $1 }')
  while read -r ordinal id ip _; do
    case $known in *"$id"*) continue ;; esac
    say "pod $ordinal joins: $(as resize "$host" CLUSTER MEET "$ip" "$PORT")"
  done <"$SURVEY"
  awk -v total="$TOTAL" '$8 < total { bad = 1 } END { exit bad || NR != total }' "$SURVEY"
}

# Nodes without slots that are to be masters: the machines with the fewest masters first.
raise_masters() {
  lacking=$((MASTERS - $(awk '$6 > 0' "$SURVEY" | grep -c . || true)))
  [ "$lacking" -gt 0 ] || return 0
  awk '$6 > 0 { count[$7]++ } { line[NR] = $0; machine[NR] = $7; slots[NR] = $6; slave[NR] = $4 == "slave" }
    END { for (i = 1; i <= NR; i++) if (!slots[i]) print count[machine[i]] + used[machine[i]]++, slave[i], line[i] }' "$SURVEY" |
    sort -n -k2,2 -k1,1 -k3,3 | head -n "$lacking" >"$RUN/raised"
  while read -r _ slave ordinal id ip _; do
    say "pod $ordinal becomes a master"
    if [ "$slave" = 1 ]; then
      reset "$ordinal" SOFT
      as resize "$(host_of "$(member)")" CLUSTER MEET "$ip" "$PORT"
    fi
  done <"$RUN/raised"
  within 30 "all nodes know each other" all_know "$TOTAL"
}

# A master may be replaced meanwhile: what was cut off is mended, and taken up again.
rebalance() {
  for _ in 1 2 3 4 5; do
    host=$(field_of "$(member)" 3)
    if { cluster check "$host:$PORT" || cluster fix "$host:$PORT"; } && cluster rebalance "$host:$PORT" --cluster-pipeline 20 "$@"; then
      return
    fi
    sleep 5
    survey "${ALL:-$TOTAL}"
  done
  fail "the slots could not be moved"
}

# Waits, because a master may have changed its part only in its own eyes so far.
assign_replicas() {
  survey "$1"
  awk -v total="$1" '$1 < total' "$SURVEY" | sort -n | awk -v replicas="$REPLICAS" -f "$SCRIPTS/plan.awk" >"$RUN/plan"
  while read -r ordinal master; do
    say "pod $ordinal becomes a replica of $master: $(as resize "$(host_of "$ordinal")" CLUSTER REPLICATE "$master")"
  done <"$RUN/plan"
  [ ! -s "$RUN/plan" ]
}

complete() {
  survey "$TOTAL"
  awk -v total="$TOTAL" -v masters="$MASTERS" '{ slots += $6 } $6 > 0 { found++ } $8 != total { bad = 1 }
    END { exit !(NR == total && slots == 16384 && found == masters && !bad) }' "$SURVEY" || return 1
  for i in $(seq 0 $((TOTAL - 1))); do
    [ "$(as resize "$(host_of "$i")" CLUSTER INFO | field cluster_state)" = ok ] || return 1
    case $(as resize "$(host_of "$i")" INFO replication | field master_link_status) in up | "") ;; *) return 1 ;; esac
  done
}

grow() {
  within "$PATIENCE" "$TOTAL pods answer" all_answer "$TOTAL"
  form_or_find
  within "$PATIENCE" "all pods are in the cluster" invite
  survey "$TOTAL"
  raise_masters
  # Slots go to all masters without: those that are to be replicas must be it before.
  empty=$(sed 's/^[^ ]* [^ ]* //' "$RUN/raised" 2>/dev/null | awk '{ print $2 }')
  awk -v raised="$empty" '{ if (index(raised, $2)) $6 = 1; print }' "$SURVEY" | sort -n |
    awk -v replicas="$REPLICAS" -f "$SCRIPTS/plan.awk" | while read -r ordinal master; do
    say "pod $ordinal becomes a replica of $master: $(as resize "$(host_of "$ordinal")" CLUSTER REPLICATE "$master")"
  done
  sleep 2
  rebalance --cluster-use-empty-masters
  within 60 "each master has its replicas" assign_replicas "$TOTAL"
  within "$PATIENCE" "the cluster is complete" complete
}

hand_over_leaving_masters() {
  staying=$(awk -v total="$TOTAL" '$1 < total && $6 > 0' "$SURVEY" | grep -c . || true)
  awk -v total="$TOTAL" '
    $6 > 0 && $1 >= total { leaving[$2] = 1 } $4 == "slave" && $1 < total { heir[$5] = $1 }
    END { for (id in leaving) if (id in heir) print heir[id] }' "$SURVEY" >"$RUN/heirs"
  while read -r heir; do
    [ "$staying" -lt "$MASTERS" ] || break
    say "pod $heir takes over from a master that leaves: $(as resize "$(host_of "$heir")" CLUSTER FAILOVER)"
    staying=$((staying + 1))
  done <"$RUN/heirs"
  sleep 2
}

none_leaving_has_slots() {
  survey "$ALL"
  awk -v total="$TOTAL" '$1 >= total && $6 > 0 { bad = 1 } END { exit bad }' "$SURVEY"
}

only_stay() {
  survey "$TOTAL"
  awk -v total="$TOTAL" '$8 != total { bad = 1 } END { exit bad }' "$SURVEY"
}

# FORGET first and everywhere: a node that were reset first would look like one that lost its volume, and be taken in again.
sent_away() {
  survey "$ALL"
  for id in $(as resize "$(host_of "$(member)")" CLUSTER NODES | awk -v total="$TOTAL" -v format="$PEER_FORMAT" "$NODES"'
    { if (!($2 ~ /,/) || number(name($2)) >= total) print $1 }'); do
    for i in $(awk -v total="$TOTAL" '$1 < total { print $1 }' "$SURVEY"); do
      as resize "$(host_of "$i")" CLUSTER FORGET "$id" >/dev/null
    done
  done
  for i in $(awk -v total="$TOTAL" '$1 >= total && $8 > 1 { print $1 }' "$SURVEY"); do reset "$i" HARD; done
  only_stay
}

# The highest pod number that the cluster knows, plus one; nothing where there are no pods yet.
size_now() {
  for i in $(seq 0 $((TOTAL - 1))); do
    nodes=$(as resize "$(host_of "$i")" CLUSTER NODES)
    case $nodes in
      *myself*)
        echo "$nodes" | awk -v format="$PEER_FORMAT" "$NODES"'{ if (number(name($2)) + 1 > most) most = number(name($2)) + 1 } END { print most }'
        ;;
      *"Name or service not known"* | *"No address associated"*) ;;
      *) echo unknown ;;
    esac
  done | sort -n | tail -n 1
}

shrink() {
  # Without names there are no pods; but only where names can be told at all.
  within "$PATIENCE" "$SERVICE has an address" sh -c '! timeout 3 redis-cli -h "$0" -p "$1" ping 2>&1 | grep -qiE "name|address associated|resol"' "$SERVICE" "$PORT"
  end=$(($(date +%s) + PATIENCE))
  while ALL=$(size_now); [ "$ALL" = unknown ]; do
    [ "$(date +%s)" -lt "$end" ] || fail "no pod answers that could say who is in the cluster"
    sleep 1
  done
  if [ -z "$ALL" ] || [ "$ALL" -le "$TOTAL" ]; then
    say "nobody has to leave"
    return
  fi
  within "$PATIENCE" "$ALL pods answer" all_answer "$ALL"
  hand_over_leaving_masters
  survey "$ALL"
  surplus=$(($(awk -v total="$TOTAL" '$1 < total && $6 > 0' "$SURVEY" | grep -c . || true) - MASTERS))
  [ "$surplus" -gt 0 ] || surplus=0
  drained=$({
    awk -v total="$TOTAL" '$1 >= total && $6 > 0 { print $2 }' "$SURVEY"
    awk -v total="$TOTAL" '$1 < total && $6 > 0' "$SURVEY" | sort -nr | head -n "$surplus" | awk '{ print $2 }'
  })
  if [ -n "$drained" ]; then
    say "moving the slots away from $(echo "$drained" | tr '\n' ' ')"
    # shellcheck disable=SC2046
    rebalance $(for id in $drained; do echo "--cluster-weight $id=0"; done)
  fi
  within 60 "those who leave have no slots" none_leaving_has_slots
  within 60 "each master has its replicas" assign_replicas "$TOTAL"
  within 60 "those who left are forgotten" sent_away
}

: >"$SURVEY"
: >"$RUN/raised"
case $DIRECTION in
  shrink) shrink ;;
  grow) grow ;;
esac
say "done: $DIRECTION to $MASTERS masters with $REPLICAS replicas each"
cut -d' ' -f1,4-7,9 "$SURVEY"
