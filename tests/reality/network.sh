# A switch and so many machines, as network namespaces of this one: sourced by run.sh.
# Names and addresses are seen inside these namespaces alone (198.18.0.0/15 is set aside for benchmarks).

prefix=isthmus-$$
switch=$prefix-switch
machines=0
subnet=198.18.0

in_namespace() { ip netns exec "$@"; }

# What a namespace's interface has sent so far, headers included.
sent_bytes() { in_namespace "$prefix-$1" cat /sys/class/net/net0/statistics/tx_bytes; }

# Packets go one by one, so that the shapers count the headers of each. TCP as on most Linux machines: cubic. What its
# connections have learned of a network they keep over pauses, in which here the devices compute.
add_machine() {
  local machine=$1
  ip netns add "$prefix-$machine" || return 1
  ip -n "$switch" link add "port$machine" gso_max_segs 1 type veth peer name net0 netns "$prefix-$machine" || return 1
  ip -n "$switch" link set "port$machine" master bridge up
  ip -n "$prefix-$machine" link set net0 gso_max_segs 1 up
  ip -n "$prefix-$machine" link set lo up
  ip -n "$prefix-$machine" address add "$subnet.$machine/24" dev net0
  ip -n "$prefix-$machine" route replace "$subnet.0/24" dev net0 src "$subnet.$machine" congctl cubic || return 1
  in_namespace "$prefix-$machine" sysctl -q -w net.ipv4.tcp_slow_start_after_idle=0
}

make_network() {
  machines=$1
  ip netns add "$switch" || return 1
  ip -n "$switch" link add bridge type bridge || return 1
  ip -n "$switch" address add "$subnet.254/24" dev bridge
  ip -n "$switch" link set bridge up
  ip -n "$switch" link set lo up
  for ((machine = 1; machine <= machines; machine++)); do add_machine "$machine" || return 1; done
}

# What a machine sends: its link is shared equally by the connections to the other machines, packet by packet, as
# fq_codel does on most Linux machines (here with classes, which all kernels have). Classes own next to nothing, and
# borrow all they use from the link. The class of the machine's own number is for the rest.
shape_machine() {
  local machine=$1 rate=$2 burst=$3 other
  in_namespace "$prefix-$machine" tc qdisc delete dev net0 root 2> /dev/null
  {
    echo "qdisc add dev net0 root handle 1: htb default $machine"
    echo "class add dev net0 parent 1: classid 1:f000 htb rate $rate burst $burst cburst $burst quantum 1514"
    for ((other = 1; other <= machines; other++)); do
      echo "class add dev net0 parent 1:f000 classid 1:$other htb rate 100kbit ceil $rate burst 1514 cburst $burst quantum 1514"
      ((other == machine)) ||
        echo "filter add dev net0 parent 1: protocol ip u32 match ip dst $subnet.$other flowid 1:$other"
    done
  } | in_namespace "$prefix-$machine" tc -batch -
}

# set_rate MBIT: of both directions of each machine's link: its interface, and its port of the switch, where packets
# wait in one queue of up to 100 ms. A bucket holds what passes in 0.3 ms, and two packets at least.
set_rate() {
  local rate=$1mbit burst=$(($1 * 300 / 8)) machine
  burst=$((burst > 3028 ? burst : 3028))
  for ((machine = 1; machine <= machines; machine++)); do
    in_namespace "$switch" tc qdisc replace dev "port$machine" root tbf rate "$rate" burst "$burst" latency 100ms || return 1
    shape_machine "$machine" "$rate" "$burst" || return 1
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
