#!/bin/sh
# passwords.sh redis|sentinel follow: has a server take passwords that were changed. The one before is taken too for a while, as
# nobody hears of a change at the same moment; others are met with the new one only when all of them can be expected to take it.
# passwords.sh redis|sentinel now take|use|retire: does what is due up to there at once, and fails where that is not possible.
# passwords.sh redis|sentinel accepts USER: says yes or no to the password on the standard input.
set -eu
. "${SCRIPTS:=/etc/redis}/common.sh"
umask 077
SERVER=$1
: "${SETTLE_SECONDS:=120}" "${OVERLAP_SECONDS:=600}" "${FOLLOW_SECONDS:=15}"
case $SERVER in
  redis) WHERE=here TEMPLATE=$SCRIPTS/users.acl LOGINS=$RUN/logins CLIENT=replication ;;
  sentinel) WHERE="$(host_of "${POD##*-}"):$SENTINEL_PORT" TEMPLATE=$SCRIPTS/sentinel-users.acl LOGINS=$RUN/sentinel-logins CLIENT=sentinel ;;
esac

names() {
  awk '$2 != "default" { print $2 }' "$TEMPLATE"
}

# change USER RULE
change() {
  answer=$(INPUT=$2 as keeper "$WHERE" -x ACL SETUSER "$1")
  [ "$answer" = OK ] || { say "the server does not change the passwords of $1: $answer" && return 1; }
}

# Older than so many seconds, or a hand says that it is time.
due() {
  case " $now " in *" $2 "*) return 0 ;; esac
  [ $(($(date +%s) - $(date -r "$1" +%s))) -ge "$3" ]
}

forget() {
  if ! same "$LOGINS/$1" "$LOGINS/$1.old"; then change "$1" "!$(hash_of "$LOGINS/$1.old")" || return 1; fi
  rm -f "$LOGINS/$1.old"
}

# May be cut off anywhere: a password that is taken twice is taken once.
take() {
  for user in $(names); do
    ! same "$SECRETS/$user" "$LOGINS/$user" || continue
    [ ! -e "$LOGINS/$user.old" ] || same "$SECRETS/$user" "$LOGINS/$user.old" || forget "$user" || return 1
    change "$user" "#$(hash_of "$SECRETS/$user")" || return 1
    cp "$SECRETS/$user" "$LOGINS/$user.new"
    touch "$LOGINS/$user"
    ln -f "$LOGINS/$user" "$LOGINS/$user.old"
    mv "$LOGINS/$user.new" "$LOGINS/$user"
    say "$user has another password, and its former one for a while"
  done
}

# tell COMMAND…: the password with which this server meets others.
tell() {
  answer=$(INPUT=$(cat "$LOGINS/$CLIENT") as keeper "$WHERE" -x "$@")
  [ "$answer" = OK ] || { say "the server does not use another password: $answer" && return 1; }
}

use() {
  [ "$MODE" != standalone ] || return 0
  ! same "$LOGINS/$CLIENT" "$LOGINS/used" || return 0
  [ ! -e "$LOGINS/$CLIENT.old" ] || due "$LOGINS/$CLIENT.old" use "$SETTLE_SECONDS" || return 0
  case $SERVER in
    redis) tell CONFIG SET masterauth || return 1 ;;
    sentinel) tell SENTINEL CONFIG SET sentinel-pass && tell SENTINEL SET "$MASTER_NAME" auth-pass || return 1 ;;
  esac
  cp "$LOGINS/$CLIENT" "$LOGINS/used"
  say "meets others with the new password of $CLIENT"
}

retire() {
  for user in $(names); do
    [ -e "$LOGINS/$user.old" ] || continue
    # The exporter is told its password when it starts, and may do nothing but look.
    [ "$user" != exporter ] || continue
    due "$LOGINS/$user.old" retire "$OVERLAP_SECONDS" || continue
    forget "$user" || return 1
    say "the former password of $user is refused"
  done
}

follow() {
  rm -f "$LOGINS/wanted" "$LOGINS/begun"
  # With which the server was started just now.
  [ ! -e "$LOGINS/$CLIENT" ] || cp "$LOGINS/$CLIENT" "$LOGINS/used"
  trap : USR1
  trap 'exit 0' TERM INT
  echo $$ >"$LOGINS/follower"
  while :; do
    [ ! -e "$LOGINS/wanted" ] || mv "$LOGINS/wanted" "$LOGINS/begun"
    now=$(cat "$LOGINS/begun" 2>/dev/null || true)
    if take && use && retire; then rm -f "$LOGINS/begun"; fi
    pause=$FOLLOW_SECONDS
    [ ! -e "$LOGINS/begun" ] || pause=1
    sleep "$pause" >/dev/null 2>&1 &
    wait $! || true
  done
}

# One alone changes anything, so that nobody is in its way: it is asked, and wakes up.
ask() {
  [ -e "$LOGINS/follower" ] || { say "no server runs here that could $1 its passwords" && exit 1; }
  case $1 in
    take) echo take ;;
    use) echo take use ;;
    retire) echo take use retire ;;
  esac >"$LOGINS/wanted.new"
  mv "$LOGINS/wanted.new" "$LOGINS/wanted"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    kill -USR1 "$(cat "$LOGINS/follower")" 2>/dev/null || true
    sleep 1
    [ -e "$LOGINS/wanted" ] || [ -e "$LOGINS/begun" ] || exit 0
  done
  rm -f "$LOGINS/wanted" "$LOGINS/begun"
  say "the server did not $1 its passwords within 15 s: its log says why"
  exit 1
}

accepts() {
  IFS= read -r REDISCLI_AUTH || [ -n "$REDISCLI_AUTH" ]
  export REDISCLI_AUTH
  target="-s $SOCKET"
  [ "$WHERE" = here ] || target="-h ${WHERE%:*} -p ${WHERE##*:} $TLS_OPTIONS"
  # shellcheck disable=SC2086
  case $(timeout 5 redis-cli $target --user "$1" --no-auth-warning PING 2>&1) in
    PONG | NOPERM* | LOADING* | MASTERDOWN*) echo yes ;;
    *WRONGPASS*) echo no ;;
    *) exit 1 ;;
  esac
}

case $2 in
  follow) follow ;;
  now) ask "$3" ;;
  accepts) accepts "$3" ;;
esac
