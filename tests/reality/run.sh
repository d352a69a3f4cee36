#!/usr/bin/env bash
# Runs the same scenarios over networks of this machine that are really slow, and through the simulator, and prints
# predicted against real. See README.md beside this file.
#
#   tests/reality/run.sh [--live] [--device FILE] [--rates "20 50 100 200"] [--workers "2 4"] [--build DIR]
#                        [--out DIR] [--only PROTOCOLS] [--mpi-options "--mca NAME VALUE ..."]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
live=no rates="20 50 100 200" workers="2 4" build=$here/../../build out= only=. mpi_options= device=
while (($# > 0)); do
  case $1 in
    --live) live=yes && shift ;;
    --device) device=$(realpath "$2") && shift 2 ;;
    --rates) rates=$2 && shift 2 ;;
    --workers) workers=$2 && shift 2 ;;
    --build) build=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    --mpi-options) mpi_options=$2 && shift 2 ;;
    *) echo "run.sh: no option $1; allowed: --live, --device, --rates, --workers, --build, --out, --only, --mpi-options" >&2 && exit 2 ;;
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
: > "$results/table.txt"

export ISTHMUS_NAMESPACES=$prefix OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
longest_run_seconds=120
# Ahead of what else runs on this machine, if the system lets us.
first=
chrt --rr 10 true 2> /dev/null && first="chrt --rr 10"

# over_network WORKERS ARGUMENTS: isthmus-mpi with one worker on each machine.
over_network() {
  local hosts= machine count=$1
  shift
  for ((machine = 1; machine <= count; machine++)); do hosts+=${hosts:+,}$subnet.$machine:1; done
  in_namespace "$switch" timeout -k 5 $longest_run_seconds $first mpirun --host "$hosts" -n "$count" --bind-to none \
    --mca plm rsh --mca plm_rsh_agent "$here/agent.sh" --mca plm_rsh_no_tree_spawn 1 \
    --mca oob_tcp_if_include $subnet.0/24 --mca btl tcp,self --mca btl_tcp_if_include $subnet.0/24 \
    --mca mpi_yield_when_idle 1 $mpi_options "$build/isthmus-mpi" "$@" > "$work/log" 2>&1 ||
    { echo "run.sh: a real run failed:" >&2 && cat "$work/log" >&2 && exit 1; }
}

# column NAME FILE: of each row of a CSV file.
column() {
  awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$2"
}

# compare PREDICTED REAL: two histories by quarters of the run. Of the last three, the one in the middle by its error:
# its seconds predicted and real, and predicted / real - 1 in %.
compare() {
  paste <(column simulated_seconds "$1") <(column simulated_seconds "$2") | awk '
    NR > 1 { printf "%.9f %.9f %+.2f\n", $1 - predicted, $2 - real, (($1 - predicted) / ($2 - real) - 1) * 100 }
    { predicted = $1; real = $2 }' | sort -g -k 3 | sed -n 2p
}

# The mean staleness of a run's updates; nothing where it has none.
staleness_of() { sed -n 's/.*"staleness_mean": \([0-9.]*\).*/\1/p' "$1/run.json" | cut -c1-5; }

all_sent_bytes() {
  local sum=0 machine
  for ((machine = 1; machine <= machines; machine++)); do sum=$((sum + $(sent_bytes "$machine"))); done
  echo $sum
}

# What one direction of a machine's link carries of payload: TCP's 1448 of the 1514 bytes that count of a packet.
payload_rate() { awk -v rate="$1" 'BEGIN { printf "%.6f", rate * 1448 / 1514 }'; }

# This machine as a device: one profile for all protocols and numbers of workers.
calibrate() {
  device=$work/device.json
  $first "$build/isthmus" calibrate --device --out "$device" > "$results/calibration.txt" || exit 1
  tail -n 4 "$results/calibration.txt" | head -n 2
}

platform() {
  cat > "$work/platform.xml" << XML
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="star" prefix="machine-" suffix="" radical="1-$1" speed="2Gf" bw="$2Mbps" lat="$3us"/>
</platform>
XML
}

# Half of a small message's time in microseconds, for each of the two links it crosses. (Each of the 200 rounds has two,
# one after the other.)
latency_us() {
  over_network 2 "$here/ping.json" --out "$work/ping"
  awk -v seconds="$(column simulated_seconds "$work/ping/runs.csv")" 'BEGIN { print seconds / 200 / 2 / 2 * 1e6 }'
  rm -rf "$work/ping"
}

# points SCENARIO: the runs of its sweep.
points() {
  timeout $longest_run_seconds "$build/isthmus" run "$1" --out "$work/points" > "$work/log" 2>&1 ||
    { cat "$work/log" >&2 && exit 1; }
  ls "$work/points/runs"
  rm -rf "$work/points"
}

[[ $live == no || -n $device ]] || calibrate
declare -A points_of
for scenario in "$here"/{dense,deep,residual}.json; do points_of[$scenario]=$(points "$scenario") || exit 1; done
printf '%-8s %9s  %-22s %12s %12s %8s %14s\n' workers Mbit/s protocol predicted real error wire/payload
for count in $workers; do
  make_network "$count" || exit 1
  crowded= && ((count > $(nproc))) && crowded='*' # workers share cores: this machine may be what limits them
  for rate in $rates; do
    set_rate "$rate" || exit 1
    latency=$(latency_us) || exit 1
    quarter=$((rate >= 30 ? (rate + 10) / 20 : 2)) # rounds
    for scenario in "$here"/{dense,deep,residual}.json; do
      for point in $(grep -E "$only" <<< "${points_of[$scenario]}"); do
        platform "$count" "$(payload_rate "$rate")" "$latency"
        trainers=$count && [[ $point != *served-* ]] || trainers=$((count - 1)) # one is the server
        change=(--set /platform/file="$work/platform.xml" --set /platform/workers="$trainers"
          --set /training/rounds=$((4 * quarter)) --set /training/evaluate_every_rounds=$quarter)
        [[ $live == no ]] || change+=(--set /numerics=live --set /platform/device="$device")
        timeout $longest_run_seconds "$build/isthmus" run "$scenario" --only "$point" "${change[@]}" \
          --trajectories "$work/trajectories" --out "$work/predicted" > "$work/log" 2>&1 ||
          { cat "$work/log" >&2 && exit 1; }
        before=$(all_sent_bytes)
        over_network "$count" "$scenario" --point "$point" "${change[@]}" --out "$work/real"
        wire=$(($(all_sent_bytes) - before))
        real=$work/real/runs/$point
        payload=$(column bytes_sent "$real/workers.csv" | awk '{ sum += $1 } END { print sum }')
        staleness=$(staleness_of "$work/predicted/runs/$point")
        [[ -z $staleness ]] || staleness="  staleness $staleness, real $(staleness_of "$real")"
        compare "$work/predicted/runs/$point/history.csv" "$real/history.csv" |
          awk -v n="$count$crowded" -v rate="$rate" -v point="${point#*-}" -v wire=$wire -v payload="$payload" -v more="$staleness" '{
            printf "%-8s %9d  %-22s %10.4f s %10.4f s %+7.2f%% %14.3f%s\n", n, rate, point, $1, $2, $3, wire / payload, more
          }' | tee -a "$results/table.txt"
        rm -rf "$work/predicted" "$work/real"
      done
    done
  done
  remove_network
done
errors_of() { # PATTERN of the first column, TEXT
  grep -E "^$1 " "$results/table.txt" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /%$/) { error = $i + 0; print error < 0 ? -error : error } }' | sort -n |
    awk -v text="$2" '{ errors[NR] = $1 }
      END { if (NR) printf "%s: %d runs; error: median %.2f %%, worst %.2f %%\n", text, NR, errors[int((NR + 1) / 2)], errors[NR] }'
}
echo
errors_of '[0-9]+' "a core for each worker"
errors_of '[0-9]+[*]' "* more workers than cores, where the machine may be the limit"
echo "Load of the machine (1, 5, 15 minutes; $(nproc) cores): $(cut -d' ' -f1-3 /proc/loadavg)"
