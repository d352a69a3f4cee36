#!/bin/sh
# Makes the platforms that come from tables of published numbers, and the profiles of starlink.xml:
#   platforms/generate.sh build/isthmus [FOLDER]
# (FOLDER: by default this one; a test compares what comes out with what is here.)
set -e
program=$1
here=$(dirname "$0")
folder=${2:-$here}

platform() { # NAME [OPTIONS], from tables/NAME.csv or tables/NAME-sites.csv and tables/NAME-ways.csv
  name=$1
  shift
  for table in "$here/tables/$name.csv" "$here/tables/$name-sites.csv" "$here/tables/$name-ways.csv"; do
    if [ -e "$table" ]; then set -- "$@" --from "$table"; fi
  done
  "$program" platform "$@" --out "$folder/$name.xml" > /dev/null
}

platform wan-10-regions --speed 50Gf --memory 16GiB
platform dt-fm-1-data-centre
platform dt-fm-2-spot
platform dt-fm-3-universities
platform dt-fm-4-regional
platform dt-fm-5-world
platform halos
platform homes-dedloc
platform homes-cable
platform phones-lte

# Latency of each link of starlink.xml: half of a round trip that changes every 15 s, for 16 minutes and again. The
# quantiles of round trips (0: 20 ms, 1/4: 40, 1/2: 50, 3/4: 60; what is above is not known, and taken for 60) are gone
# through by the golden section, so that each quarter of an hour has all of them. A file serves one link in SimGrid.
mkdir -p "$folder/profiles"
for dish in 0 1 2 3; do
  for way in up down; do
    awk -v dish="$dish" 'BEGIN {
      print "# seconds, seconds of latency; written by generate.sh"
      for (k = 0; k < 64; ++k) {
        at = ((4 * k + dish) * 0.6180339887) % 1
        round_trip = at < 0.25 ? 20 + 80 * at : at < 0.75 ? 30 + 40 * at : 60
        printf "%d %.6f\n", 15 * k, round_trip / 2000
      }
      print "PERIODICITY 960"
    }' > "$folder/profiles/starlink-$dish-$way.txt"
  done
done
