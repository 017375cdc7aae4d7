#!/bin/sh
# Starts the sentinel of this pod: its settings are written anew, what it learned and promised is kept.
set -eu
. "${SCRIPTS:=/etc/redis}/common.sh"
umask 077
mkdir -p "$DATA/sentinel"
CONFIG=$DATA/sentinel/sentinel.conf
KEPT=$RUN/sentinel.kept
touch "$CONFIG"

settings() {
  listen "$SENTINEL_PORT"
  tls_settings
  echo "dir $DATA/sentinel"
  echo "protected-mode no"
  echo "aclfile $RUN/sentinel-users.acl"
  grep '^sentinel myid ' "$KEPT" || true
  echo "sentinel resolve-hostnames yes"
  echo "sentinel announce-hostnames yes"
  echo "sentinel announce-ip $(host_of "${POD##*-}")"
  echo "sentinel announce-port $SENTINEL_PORT"
  echo "sentinel sentinel-user sentinel"
  echo "sentinel sentinel-pass $(quoted sentinel)"
  # The first master ever is pod 0; later the one that the sentinels agreed on.
  master=$(awk '$2 == "monitor" { print $4 }' "$KEPT")
  echo "sentinel monitor $MASTER_NAME ${master:-$(host_of 0)} $PORT $((COUNT / 2 + 1))"
  echo "sentinel auth-user $MASTER_NAME sentinel"
  echo "sentinel auth-pass $MASTER_NAME $(quoted sentinel)"
  echo "sentinel down-after-milliseconds $MASTER_NAME 5000"
  echo "sentinel failover-timeout $MASTER_NAME 5000"
  echo "sentinel parallel-syncs $MASTER_NAME 1"
  grep -E '^sentinel (config-epoch|leader-epoch|known-replica|known-sentinel|current-epoch) ' "$KEPT" || true
}

cp "$CONFIG" "$KEPT"
users "$SCRIPTS/sentinel-users.acl" "$RUN/sentinel-logins" >"$RUN/sentinel-users.acl"
settings >"$CONFIG.new"
mv "$CONFIG.new" "$CONFIG"
# A sentinel cannot be told: it ends, and its container starts it again with what it knew.
stop_sentinel() {
  say "renewed certificate: starting again"
  kill -TERM $$
}
when_renewed stop_sentinel
follow_passwords sentinel
serve redis-server "$CONFIG" --sentinel "$@"
