#!/bin/sh
# Hosts that are network namespaces of this machine, joined by a bridge. Needs to be root.
#   up NAME N        makes N of them, and prints their addresses
#   down NAME N      takes them away
#   cut NAME I       takes host I (from 1) off the network
#   mend NAME I N    and puts it back among the N, which forget that they could not reach it
#   agent NAME HOST COMMAND…   runs a command on a host: what mpirun has instead of ssh
# NAME has at most 8 letters; hosts are 10.77.0.11, 10.77.0.12 …, and this machine is 10.77.0.1 among them.
set -eu
action=$1 name=$2
shift 2

down() {
  for i in $(seq "$1"); do
    ip netns del "$name$i" 2> /dev/null || true
    ip link del "$name-$i" 2> /dev/null || true
  done
  ip link del "$name" 2> /dev/null || true
}

case $action in
up)
  down "$1"
  ip link add "$name" type bridge
  ip addr add 10.77.0.1/24 dev "$name"
  ip link set "$name" up
  for i in $(seq "$1"); do
    ip netns add "$name$i"
    ip link add "$name-$i" type veth peer name eth0 netns "$name$i"
    ip link set "$name-$i" master "$name" up
    ip -n "$name$i" addr add "10.77.0.$((10 + i))/24" dev eth0
    ip -n "$name$i" link set lo up
    ip -n "$name$i" link set eth0 up
    echo "10.77.0.$((10 + i))"
  done
  ;;
down) down "$1" ;;
cut) ip link set "$name-$1" down ;;
mend)
  ip link set "$name-$1" up
  until ip -n "$name$1" link show eth0 | grep -q 'state UP'; do sleep 0.1; done
  # An address that was asked for in vain is refused for seconds, and a connection to it with it.
  ip neigh flush dev "$name"
  for i in $(seq "$2"); do ip -n "$name$i" neigh flush dev eth0; done
  ;;
agent)
  i=$((${1##*.} - 10))
  shift
  # A host has its own name, by which MPI tells which ranks share memory.
  exec ip netns exec "$name$i" unshare --uts sh -c "hostname $name$i; $*"
  ;;
*) echo "hosts.sh: $action?" >&2; exit 2 ;;
esac
