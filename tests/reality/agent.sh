#!/bin/sh
# What mpirun takes for ssh: "agent.sh HOST COMMAND ..." runs the command on the machine HOST, a namespace.
host=$1
shift
exec ip netns exec "$ISTHMUS_NAMESPACES-${host##*.}" unshare --uts sh -c "hostname machine-${host##*.}; $*"
