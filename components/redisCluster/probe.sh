#!/bin/sh
# alive: the server answers. ready: it can also serve, or may safely be counted on when another one stops.
set -eu
. "${SCRIPTS:=/etc/redis}/common.sh"

alive() {
  case $(as probe here PING) in PONG | LOADING* | MASTERDOWN*) ;; *) exit 1 ;; esac
}

ready() {
  state=$(as probe here INFO replication)
  link=$(echo "$state" | field master_link_status)
  case $(echo "$state" | field role) in
    master) ;;
    slave) [ "$link" = up ] || exit 1 ;;
    *) exit 1 ;;
  esac
  [ "$MODE" = cluster ] || return 0
  # A node that nobody has asked to join holds nothing, and is ready to be asked.
  state=$(as probe here CLUSTER INFO)
  [ "$(echo "$state" | field cluster_known_nodes)" = 1 ] || [ "$(echo "$state" | field cluster_state)" = ok ]
}

case $1 in
  alive) alive ;;
  ready) ready ;;
esac
