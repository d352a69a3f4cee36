#!/usr/bin/env python3
"""Training in which workers hold parts of a network (IST and its relatives, federated width reduction), written for
PyTorch from the papers' definitions, without a look at Isthmus's own. Four workers in one process; prints the test
accuracy of each method and seed, and each method's mean and standard deviation (n - 1).

    /usr/bin/python3 parts.py [--data DIR] [--seeds 3] [--epochs 3] [--check] [METHOD ...]

DIR holds the four IDX files of Fashion-MNIST, gzipped (Debian: dataset-fashion-mnist). Much faster with
MALLOC_TRIM_THRESHOLD_=1000000000 and MALLOC_MMAP_THRESHOLD_=1000000000 in the environment (fewer page faults).
A worker's part is a network of its own, with smaller layers: no masks. Except in `hist`, a round is: deal parts, train
20 steps, and every entry of every parameter becomes the mean over the workers that held it (an entry that nobody held
stays)."""
import argparse
import gzip
import math
import statistics
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F

WORKERS, BATCH, RATE, LOCAL_STEPS, SITES, SITE_ROUNDS, KEEP = 4, 32, 0.05, 20, 2, 5, 0.75


def read_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    dimensions = content[3]
    shape = struct.unpack(f">{dimensions}I", content[4:4 + 4 * dimensions])
    return torch.frombuffer(bytearray(content[4 + 4 * dimensions:]), dtype=torch.uint8).reshape(shape)


def read_data(folder):
    images = [read_idx(f"{folder}/{part}-images-idx3-ubyte.gz")[:, None].float() for part in ("train", "t10k")]
    labels = [read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz").long() for part in ("train", "t10k")]
    mean, deviation = images[0].double().mean().item(), images[0].double().std(unbiased=False).item()
    return [(x - mean) / deviation for x in images], labels


# Networks. WIDTHS: the sizes of the groups of units that may be cut. AXES: for each parameter that has axes along
# such groups, {axis: (group, entries per unit)}. Batch norms have no running statistics.

def norm1d(size):
    return nn.BatchNorm1d(size, track_running_stats=False)


def norm2d(size):
    return nn.BatchNorm2d(size, track_running_stats=False)


class LeNet(nn.Module):
    """LeNet-5 with batch norms."""
    WIDTHS = [6, 16, 120, 84]
    AXES = {"conv1.weight": {0: (0, 1)}, "norm1.weight": {0: (0, 1)}, "norm1.bias": {0: (0, 1)},
            "conv2.weight": {0: (1, 1), 1: (0, 1)}, "norm2.weight": {0: (1, 1)}, "norm2.bias": {0: (1, 1)},
            "dense1.weight": {0: (2, 1), 1: (1, 25)}, "norm3.weight": {0: (2, 1)}, "norm3.bias": {0: (2, 1)},
            "dense2.weight": {0: (3, 1), 1: (2, 1)}, "norm4.weight": {0: (3, 1)}, "norm4.bias": {0: (3, 1)},
            "dense3.weight": {1: (3, 1)}}

    def __init__(self, widths):
        super().__init__()
        a, b, c, d = widths
        self.conv1, self.norm1 = nn.Conv2d(1, a, 5, padding=2, bias=False), norm2d(a)
        self.conv2, self.norm2 = nn.Conv2d(a, b, 5, bias=False), norm2d(b)
        self.dense1, self.norm3 = nn.Linear(25 * b, c, bias=False), norm1d(c)
        self.dense2, self.norm4 = nn.Linear(c, d, bias=False), norm1d(d)
        self.dense3 = nn.Linear(d, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.norm2(self.conv2(x))), 2).flatten(1)
        x = F.relu(self.norm3(self.dense1(x)))
        return self.dense3(F.relu(self.norm4(self.dense2(x))))


class Block(nn.Module):
    """Pre-activation; where the shape changes, a 1x1 convolution of the activated input beside it."""

    def __init__(self, inputs, middle, outputs, stride):
        super().__init__()
        self.first, self.second = norm2d(inputs), norm2d(middle)
        self.down = nn.Conv2d(inputs, middle, 3, stride, 1, bias=False)
        self.level = nn.Conv2d(middle, outputs, 3, 1, 1, bias=False)
        self.shortcut = None if inputs == outputs and stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        active = F.relu(self.first(x))
        branch = self.level(F.relu(self.second(self.down(active))))
        return branch + (x if self.shortcut is None else self.shortcut(active))


class ResNet(nn.Sequential):
    """Three blocks; only the channels within a block may be cut."""
    WIDTHS = [8, 16, 32]
    AXES = {f"{block + 1}.{name}": {axis: (block, 1)} for block in range(3)
            for name, axis in (("down.weight", 0), ("second.weight", 0), ("second.bias", 0), ("level.weight", 1))}

    def __init__(self, widths):
        super().__init__(nn.Conv2d(1, 8, 3, 1, 1, bias=False), Block(8, widths[0], 8, 1), Block(8, widths[1], 16, 2),
                         Block(16, widths[2], 32, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


# Parts. A part is a list of the units' indices for each group of the network.

def whole(model):
    return [torch.arange(width) for width in model.WIDTHS]


def positions(model, name, shape, part):
    """The index (a tuple of broadcasting tensors) of a part's entries in a whole parameter of this shape."""
    index = []
    for axis, size in enumerate(shape):
        along = torch.arange(size)
        if axis in model.AXES.get(name, {}):
            group, entries = model.AXES[name][axis]
            along = (part[group][:, None] * entries + torch.arange(entries)).flatten()
        index.append(along.reshape([-1 if a == axis else 1 for a in range(len(shape))]))
    return tuple(index)


def cut(model, state, part):
    return {name: value[positions(model, name, value.shape, part)].clone() for name, value in state.items()}


def holders(model, state, parts):
    """How many hold each entry."""
    counts = {name: torch.zeros_like(value) for name, value in state.items()}
    for part in parts:
        for name, count in counts.items():
            count[positions(model, name, count.shape, part)] += 1
    return counts


def merge(model, state, parts, trained):
    """The mean over an entry's holders; what nobody held stays."""
    counts, result = holders(model, state, parts), {}
    for name, value in state.items():
        total = torch.zeros_like(value)
        for part, own in zip(parts, trained):
            total[positions(model, name, value.shape, part)] += own[name]
        result[name] = torch.where(counts[name] > 0, total / counts[name].clamp_min(1), value)
    return result


# Dealers: the parts of all workers (of all sites in `hist`) in a round.

def deal(model, count, groups):
    """The units of these groups go to one holder each, at random; all others to all."""
    parts = [whole(model) for _ in range(count)]
    for group in groups:
        for part, units in zip(parts, torch.randperm(model.WIDTHS[group]).tensor_split(count)):
            part[group] = units
    return parts


def half(model, offset):
    return [(offset + torch.arange(width // 2)) % width for width in model.WIDTHS]


def random_units(model):
    return [torch.randperm(width)[:math.ceil(KEEP * width)] for width in model.WIDTHS]


METHODS = {
    "ist-head": (LeNet, lambda m, r: deal(m, WORKERS, [2, 3])),
    "ist-channels": (ResNet, lambda m, r: deal(m, WORKERS, [0, 1, 2])),
    "ist-channels-scaled": (ResNet, lambda m, r: deal(m, WORKERS, [0, 1, 2])),  # tested as dropout is
    "hist": (LeNet, lambda m, r: deal(m, SITES, [2, 3])),
    "heterofl": (LeNet, lambda m, r: [half(m, 0) if w % 2 else whole(m) for w in range(WORKERS)]),
    "fedrolex": (LeNet, lambda m, r: [half(m, r) if w % 2 else whole(m) for w in range(WORKERS)]),
    "dropout": (LeNet, lambda m, r: [random_units(m) for _ in range(WORKERS)]),
    "ist-all": (LeNet, lambda m, r: deal(m, WORKERS, [0, 1, 2, 3])),
    "fedavg": (LeNet, lambda m, r: [whole(m)] * WORKERS),
}


class Worker:
    """A shard, reshuffled after each pass; a pass's last incomplete batch is dropped."""

    def __init__(self, x, y, shard, seed):
        self.x, self.y, self.shard, self.queue = x, y, shard, []
        self.generator = torch.Generator().manual_seed(seed)

    def batch(self):
        if len(self.queue) < BATCH:
            self.queue = self.shard[torch.randperm(len(self.shard), generator=self.generator)]
        taken, self.queue = self.queue[:BATCH], self.queue[BATCH:]
        return taken

    def train(self, model, widths, state, steps):
        net = model(widths)
        net.load_state_dict(state)
        optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
        for _ in range(steps):
            taken = self.batch()
            optimizer.zero_grad()
            F.cross_entropy(net(self.x[taken]), self.y[taken]).backward()
            optimizer.step()
        return {name: value.detach().clone() for name, value in net.state_dict().items()}


def site_rounds(model, workers, widths, state, steps):
    """Local SGD within a site."""
    while steps > 0:
        trained = [w.train(model, widths, state, min(steps, LOCAL_STEPS)) for w in workers]
        state = {name: torch.stack([own[name] for own in trained]).mean(0) for name in state}
        steps -= LOCAL_STEPS
    return state


def train(method, x, y, seed, epochs):
    torch.manual_seed(seed)
    model, dealer = METHODS[method]
    state = model(model.WIDTHS).state_dict()
    shards = torch.randperm(len(x)).chunk(WORKERS)
    workers = [Worker(x, y, shard, 1000 * seed + i) for i, shard in enumerate(shards)]
    teams = [workers[:2], workers[2:]] if method == "hist" else [[worker] for worker in workers]
    length = LOCAL_STEPS * (SITE_ROUNDS if method == "hist" else 1)
    steps = round(epochs * len(x) / BATCH / WORKERS)  # of each worker
    for number in range(math.ceil(steps / length)):
        parts = dealer(model, number)
        now = min(length, steps - number * length)
        trained = [site_rounds(model, team, [len(units) for units in part], cut(model, state, part), now)
                   for team, part in zip(teams, parts)]
        state = merge(model, state, parts, trained)
    if method.endswith("scaled"):  # what a unit says counts by the share of them that each part has
        for name in state:
            if 1 in model.AXES.get(name, {}):
                state[name] /= WORKERS
    net = model(model.WIDTHS)
    net.load_state_dict(state)
    return net


def accuracy(net, x, y):
    with torch.no_grad():
        right = sum((net(x[i:i + 1000]).argmax(1) == y[i:i + 1000]).sum().item() for i in range(0, len(x), 1000))
    return right / len(x)


def check(method, x):
    """A part computes what the whole does with the absent units' norms at 0; prints how many hold what."""
    model, dealer = METHODS[method]
    net = model(model.WIDTHS)
    state = net.state_dict()
    for value in state.values():  # norms too: scales of 1 and shifts of 0 would hide mistakes
        value += 0.3 * torch.randn_like(value)
    gates = [name for name, axes in model.AXES.items() if ("norm" in name or "second" in name) and 0 in axes]
    for number in (0, 1, 5, 90):
        parts = dealer(model, number)
        counts = holders(model, state, parts)
        for part in parts:
            assert all(len(units.unique()) == len(units) for units in part)
            small, masked = model([len(units) for units in part]), model(model.WIDTHS)
            small.load_state_dict(cut(model, state, part))
            gated = {name: value.clone() for name, value in state.items()}
            for name in gates:
                absent = torch.ones(len(gated[name]), dtype=torch.bool)
                absent[part[model.AXES[name][0][0]]] = False
                gated[name][absent] = 0
            masked.load_state_dict(gated)
            assert torch.allclose(small(x[:64]), masked(x[:64]), atol=1e-3), (method, number)
        merged = merge(model, state, parts, [cut(model, state, part) for part in parts])
        assert all(torch.allclose(merged[name], state[name], atol=1e-6) for name in state)
        own = [{name: torch.full_like(value, i + 1) for name, value in cut(model, state, part).items()}
               for i, part in enumerate(parts)]
        merged = merge(model, state, parts, own)
        assert all((merged[name] == state[name])[counts[name] == 0].all() for name in state)
        assert sum((merged[n] * counts[n])[counts[n] > 0].sum().item() for n in state) == sum(
            (i + 1) * v.numel() for i, o in enumerate(own) for v in o.values())
    print(f"{method}: widths {[[len(units) for units in part] for part in parts]}")
    for name, count in counts.items():
        held = ", ".join(f"{int((count == n).sum())} by {int(n)}" for n in count.unique())
        print(f"    {name} {tuple(count.shape)}: {held}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--check", action="store_true", help="test this program's parts instead of training")
    parser.add_argument("methods", nargs="*", default=[*METHODS], metavar="METHOD")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    (x, x_test), (y, y_test) = read_data(arguments.data)
    for method in arguments.methods:
        if arguments.check:
            check(method, x)
            continue
        results = []
        for seed in range(1, arguments.seeds + 1):
            results.append(accuracy(train(method, x, y, seed, arguments.epochs), x_test, y_test))
            print(f"{method} {seed} {results[-1]:.4f}", flush=True)
        deviation = statistics.stdev(results) if len(results) > 1 else 0
        print(f"{method} mean {statistics.mean(results):.4f} deviation {deviation:.4f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
