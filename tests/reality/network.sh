# A switch and so many machines, as network namespaces of this one: sourced by run.sh.
# Names and addresses are seen inside these namespaces alone (198.18.0.0/15 is set aside for benchmarks).

prefix=isthmus-$$
switch=$prefix-switch
machines=0
subnet=198.18.0

in_namespace() { ip netns exec "$@"; }

# What a namespace's interface has sent so far, headers included.
sent_bytes() { in_namespace "$prefix-$1" cat /sys/class/net/net0/statistics/tx_bytes; }

# Packets go one by one, so that the shaper counts the headers of each. Both directions have a shaper: the machine's
# interface, and its port of the switch.
add_machine() {
  local machine=$1
  ip netns add "$prefix-$machine"
  ip -n "$switch" link add "port$machine" gso_max_segs 1 type veth peer name net0 netns "$prefix-$machine"
  ip -n "$switch" link set "port$machine" master bridge up
  ip -n "$prefix-$machine" link set net0 gso_max_segs 1 up
  ip -n "$prefix-$machine" link set lo up
  ip -n "$prefix-$machine" address add "$subnet.$machine/24" dev net0
}

make_network() {
  machines=$1
  ip netns add "$switch"
  ip -n "$switch" link add bridge type bridge
  ip -n "$switch" address add "$subnet.254/24" dev bridge
  ip -n "$switch" link set bridge up
  ip -n "$switch" link set lo up
  for ((machine = 1; machine <= machines; machine++)); do add_machine "$machine"; done
}

# set_rate MBIT: bursts of four packets, a queue of 100 ms.
set_rate() {
  local burst=6056
  for ((machine = 1; machine <= machines; machine++)); do
    in_namespace "$prefix-$machine" tc qdisc replace dev net0 root tbf rate "$1mbit" burst "$burst" latency 100ms
    in_namespace "$switch" tc qdisc replace dev "port$machine" root tbf rate "$1mbit" burst "$burst" latency 100ms
  done
}

remove_network() {
  for ((machine = 1; machine <= machines; machine++)); do
    ip netns pids "$prefix-$machine" 2> /dev/null | xargs -r kill -9 2> /dev/null
    ip netns delete "$prefix-$machine" 2> /dev/null
  done
  ip netns delete "$switch" 2> /dev/null
  machines=0
}
