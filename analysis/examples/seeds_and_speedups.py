#!/usr/bin/env python3
"""From a study's runs.csv to a table of times and paired speed-ups; cells (# %%) run one by one in an editor.

    python3 analysis/examples/seeds_and_speedups.py results/bandwidth-sweep [OUT.png]

Needs Python only. With pandas the table is a DataFrame, too; with matplotlib there is a picture.
"""

# %% Read: one row per run. Names are "/pointer" for what was swept, plain for results; units are in the names.
import csv
import math
import sys
from pathlib import Path

study = Path(sys.argv[1] if len(sys.argv) > 1 else "results/quickstart")
with open(study / "runs.csv", newline="", encoding="utf-8") as file:
    runs = [run for run in csv.DictReader(file) if run["outcome"] == "completed"]
if not runs:
    sys.exit(f"{study}: no completed run")

# %% Sort: the protocol is compared, the seed repeats, all else that was swept is the setting.
summary = list(runs[0]).index("simulated_seconds")
swept = [name for name in list(runs[0])[:summary] if name.startswith("/")]
# A quantity may have a second column with its number in SI units, as in "/platform/bandwidth_bits_per_second".
swept = [name for name in swept if not any(name.startswith(other + "_") for other in swept)]
of_protocol = [name for name in swept if name.startswith("/protocol")]
of_setting = [name for name in swept if name not in of_protocol and name != "/training/seed"]


def label(run, names):
    """'local_sgd, local_steps 30' of the cells under these names; empty cells are left out."""
    cells = [(name.rsplit("/", 1)[-1], run[name]) for name in names if run[name]]
    return ", ".join(text if key in ("kind", "protocol") else f"{key} {text}" for key, text in cells)


def seconds(run):
    """Time to the target accuracy, or of the whole run where there is no target; None if never reached."""
    text = run["seconds_to_target"] if run["target_accuracy"] else run["simulated_seconds"]
    return float(text) if text else None


# %% Pair: how many times as fast as the first protocol, each seed against itself in the same setting.
times = {(label(r, of_setting), label(r, of_protocol), r.get("/training/seed", "")): seconds(r) for r in runs}
baseline = label(runs[0], of_protocol)
table = {}
for (setting, protocol, seed), time in times.items():
    base = times.get((setting, baseline, seed))
    row = table.setdefault((setting, protocol), {"setting": setting, "protocol": protocol, "seconds": [], "ratios": []})
    if time:
        row["seconds"].append(time)
    if time and base:
        row["ratios"].append(base / time)


def mean(values):
    return sum(values) / len(values) if values else math.nan


def geometric_mean(values):
    return math.exp(mean([math.log(value) for value in values])) if values else math.nan


# %% Show.
rows = [{"setting": row["setting"], "protocol": row["protocol"], "seeds": len(row["seconds"]),
         "seconds": mean(row["seconds"]), "speedup": geometric_mean(row["ratios"])} for row in table.values()]
writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
writer.writeheader()
writer.writerows(rows)

# %% The same in pandas, in which runs.csv is a line: pandas.read_csv(study / "runs.csv").
try:
    import pandas
    print(pandas.DataFrame(rows).pivot(index="setting", columns="protocol", values="speedup").round(2),
          file=sys.stderr)
except ImportError:
    print("(no pandas: no pivot table)", file=sys.stderr)

# %% A picture.
try:
    import matplotlib
    matplotlib.use("Agg")  # a notebook shows figures by itself: leave this line out
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7, 3))
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        of_it = [row for row in rows if row["protocol"] == protocol]
        axes.plot([row["setting"] for row in of_it], [row["seconds"] for row in of_it], "o-", label=protocol)
    axes.set(yscale="log", ylabel="seconds", xlabel=", ".join(of_setting))
    axes.legend()
    figure.savefig(sys.argv[2] if len(sys.argv) > 2 else study / "seconds.png", dpi=150, bbox_inches="tight")
except ImportError:
    print("(no matplotlib: no picture)", file=sys.stderr)
