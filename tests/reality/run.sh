#!/usr/bin/env bash
# Runs the same scenarios over networks of this machine that are really slow, and through the simulator, and prints
# predicted against real. See README.md beside this file.
#
#   tests/reality/run.sh [--live] [--rates "20 50 100 200"] [--workers "2 4"] [--build DIR] [--out DIR]
#                        [--only PROTOCOLS] [--mpi-options "--mca NAME VALUE ..."]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
live=no rates="20 50 100 200" workers="2 4" build=$here/../../build out= only=.
# Messages go out whole. By default OpenMPI sends 64 KB, waits for an answer, and sends the rest; where both directions
# are busy that answer stands in the queue of a slow link.
mpi_options="--mca btl_tcp_eager_limit 67108864 --mca btl_tcp_rndv_eager_limit 67108864"
while (($# > 0)); do
  case $1 in
    --live) live=yes && shift ;;
    --rates) rates=$2 && shift 2 ;;
    --workers) workers=$2 && shift 2 ;;
    --build) build=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    --mpi-options) mpi_options=$2 && shift 2 ;;
    *) echo "run.sh: no option $1; allowed: --live, --rates, --workers, --build, --out, --only, --mpi-options" >&2 && exit 2 ;;
  esac
done
build=$(realpath "$build")

skip() { echo "tests/reality is skipped: $1" && exit 0; }
((EUID == 0)) || skip "making network namespaces needs root"
for tool in ip tc mpirun unshare; do command -v $tool > /dev/null || skip "there is no $tool"; done
[[ -x $build/isthmus-mpi ]] || skip "$build/isthmus-mpi is not built (libopenmpi-dev)"

. "$here/network.sh"
work=$(mktemp -d)
clean_up() {
  remove_network
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
make_network 1 2> "$work/errors" && set_rate 100 2>> "$work/errors" ||
  skip "this system does not allow network namespaces with rate limits: $(head -1 "$work/errors")"
remove_network
results=${out:-$work/results}
mkdir -p "$results"

export ISTHMUS_NAMESPACES=$prefix OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
longest_run_seconds=120

# over_network WORKERS ARGUMENTS: isthmus-mpi with one worker on each machine.
over_network() {
  local hosts= machine count=$1
  shift
  for ((machine = 1; machine <= count; machine++)); do hosts+=${hosts:+,}$subnet.$machine:1; done
  in_namespace "$switch" timeout -k 5 $longest_run_seconds mpirun --host "$hosts" -n "$count" --bind-to none \
    --mca plm rsh --mca plm_rsh_agent "$here/agent.sh" --mca plm_rsh_no_tree_spawn 1 \
    --mca oob_tcp_if_include $subnet.0/24 --mca btl tcp,self --mca btl_tcp_if_include $subnet.0/24 \
    --mca mpi_yield_when_idle 1 $mpi_options "$build/isthmus-mpi" "$@" > "$work/log" 2>&1 ||
    { echo "run.sh: a real run failed:" >&2 && cat "$work/log" >&2 && exit 1; }
}

# column NAME FILE: of each row of a CSV file.
column() {
  awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$2"
}

# Seconds between the two rows of a history.
second_half() { column simulated_seconds "$1" | awk 'NR > 1 { printf "%.9f", $1 - before } { before = $1 }'; }

all_sent_bytes() {
  local sum=0 machine
  for ((machine = 1; machine <= machines; machine++)); do sum=$((sum + $(sent_bytes "$machine"))); done
  echo $sum
}

# What one direction of a machine's link carries of payload: TCP's 1448 of the 1514 bytes that tbf counts of a packet.
payload_rate() { awk -v rate="$1" 'BEGIN { printf "%.6f", rate * 1448 / 1514 }'; }

platform() {
  cat > "$work/platform.xml" << XML
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="star" prefix="machine-" suffix="" radical="1-$1" speed="$4" bw="$2Mbps" lat="$3us"/>
</platform>
XML
}

# Half of a small message's time in microseconds, for each of the two links it crosses.
latency_us() {
  over_network 2 "$here/ping.json" --out "$work/ping"
  awk -v seconds="$(column simulated_seconds "$work/ping/runs.csv")" 'BEGIN { print seconds / 200 / 2 / 2 * 1e6 }'
  rm -rf "$work/ping"
}

# Sustained FLOP/s of a worker while so many compute at once on this machine: the second half of 200 local steps,
# between few messages over loopback.
measured_speed() {
  local protocol=${3#*-}
  timeout $longest_run_seconds mpirun --oversubscribe -n "$1" --mca mpi_yield_when_idle 1 "$build/isthmus-mpi" "$2" \
    --point "$3" --set /numerics=live --set /platform/workers="$1" --set /training/rounds=4 \
    --set /training/evaluate_every_rounds=2 --set "/sweep/~1protocol/named/$protocol/local_steps=50" \
    --out "$work/calibration" > "$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
  local run=$work/calibration/runs/$3
  column flops "$run/workers.csv" | awk -v workers="$1" -v seconds="$(second_half "$run/history.csv")" '
    { flops += $1 } END { printf "%.0ff", flops / 2 / workers / seconds }'
  rm -rf "$work/calibration"
}

printf '%-8s %9s  %-22s %12s %12s %8s %14s\n' workers Mbit/s protocol predicted real error wire/payload
for count in $workers; do
  make_network "$count"
  for rate in $rates; do
    set_rate "$rate"
    latency=$(latency_us) || exit 1
    half=$((rate >= 30 ? (rate + 10) / 20 : 2)) # what is measured: the second half of the rounds, warm
    for scenario in "$here"/{dense,residual}.json; do
      name=$(basename "$scenario" .json)
      speed=2Gf
      if [[ $live == yes ]]; then
        point=$([[ $name == dense ]] && echo 4-local_sgd-ring || echo 0-resist-peer)
        speed=$(measured_speed "$count" "$scenario" "$point") || exit 1
      fi
      platform "$count" "$(payload_rate "$rate")" "$latency" "$speed"
      change=(--set /platform/file="$work/platform.xml" --set /platform/workers="$count" --set /training/rounds=$((2 * half))
        --set /training/evaluate_every_rounds=$half --set /network/crosstraffic=true)
      [[ $live == yes ]] && change+=(--set /numerics=live)
      predicted=$work/predicted
      "$build/isthmus" run "$scenario" "${change[@]}" --trajectories "$work/trajectories" --out "$predicted" \
        > "$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
      for run in "$predicted"/runs/*; do
        point=$(basename "$run")
        grep -Eq "$only" <<< "$point" || continue
        before=$(all_sent_bytes)
        over_network "$count" "$scenario" --point "$point" "${change[@]}" --out "$work/real"
        wire=$(($(all_sent_bytes) - before))
        real=$work/real/runs/$point
        payload=$(column bytes_sent "$real/workers.csv" | awk '{ sum += $1 } END { print sum }')
        awk -v n="$count" -v rate="$rate" -v point="${point#*-}" -v wire=$wire -v payload="$payload" \
          -v predicted="$(second_half "$run/history.csv")" \
          -v real="$(second_half "$real/history.csv")" 'BEGIN {
            printf "%-8d %9d  %-22s %10.4f s %10.4f s %+7.2f%% %14.3f\n", n, rate, point, predicted, real,
                   (predicted / real - 1) * 100, wire / payload }' | tee -a "$results/table.txt"
      done
      rm -rf "$predicted" "$work/real"
    done
  done
  remove_network
done
awk '{ error = $(NF - 1) + 0; print error < 0 ? -error : error }' "$results/table.txt" | sort -n | awk '
  { errors[NR] = $1 }
  END { printf "\n%d runs; error: median %.2f %%, worst %.2f %%\n", NR, errors[int((NR + 1) / 2)], errors[NR] }'
echo "Load of the machine (1, 5, 15 minutes; $(nproc) cores): $(cut -d' ' -f1-3 /proc/loadavg)"
