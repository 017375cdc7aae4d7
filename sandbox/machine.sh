#!/bin/bash
# PID 1 of one sandbox machine. It lives in mount, PID and network namespaces of its own, so that when it dies, by any
# signal, the kernel takes everything the machine ran or mounted with it.
#   machine.sh ROOT [own-network|host-network]
# ROOT/services/NAME holds the command line of a service (a script to exec), ROOT/log/NAME.log what it says.
set -u
root=$1 network=$2
mkdir -p "$root"/{log,var/lib,var/log,etc,etc.work}

mount --make-rshared /
mount -t proc proc /proc
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$root/etc,workdir=$root/etc.work" /etc
rm -f /etc/resolv.conf /etc/hosts
cp "$root/resolv.conf" /etc/resolv.conf
echo "127.0.0.1 localhost" >/etc/hosts
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$root/var/lib" /var/lib
mount --bind "$root/var/log" /var/log
mkdir -p /run/netns /run/lock

if [ "$network" = own-network ]; then
  ip link set lo up
  # The wire is plugged in from outside, once this process exists.
  until ip -4 -o addr show dev eth0 2>/dev/null | grep -q inet; do sleep 0.05; done
  echo 1 >/proc/sys/net/ipv4/ip_forward
  [ -e "$root/routes" ] && ip -batch "$root/routes"
fi

mkdir -p /run/services
stopping=
# Keeps one service running. A supervisor that follows a killed one finds the service by its pid and takes it over anew.
supervise() {
  [ -e "/run/services/$1" ] && kill -9 "$(<"/run/services/$1")" 2>/dev/null
  while :; do
    bash "$root/services/$1" >>"$root/log/$1.log" 2>&1 </dev/null &
    echo $! >"/run/services/$1"
    wait $!
    echo "--- $1 ended with $? at $(date -u +%FT%TZ), starting it again" >>"$root/log/$1.log"
    sleep 0.5
  done
}
# A graceful stop: services get SIGTERM and five seconds, then the namespace ends.
stop() {
  [ -n "$stopping" ] && return
  stopping=1
  for job in $(jobs -p); do kill -9 "$job"; done
  kill -TERM -- -1
  for _ in $(seq 50); do
    [ "$(ls -d /proc/[0-9]* | wc -l)" -le 3 ] && break
    sleep 0.1
  done
  exit 0
}
trap stop TERM
declare -A supervisor
for file in "$root"/services/*; do supervisor[$(basename "$file")]=0; done
# bash as PID 1 also reaps the orphans that container shims leave behind.
while :; do
  for service in "${!supervisor[@]}"; do
    [ "${supervisor[$service]}" != 0 ] && kill -0 "${supervisor[$service]}" 2>/dev/null && continue
    supervise "$service" &
    supervisor[$service]=$!
  done
  wait -n
  sleep 0.2
done
