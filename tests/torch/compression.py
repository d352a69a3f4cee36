#!/usr/bin/env python3
"""Compressed and low-communication training, written for PyTorch without a look at Isthmus's own: to be compared with
runs of tests/torch/compression.json. Four workers in one process; prints the accuracy of each method and seed.

    /usr/bin/python3 tests/torch/compression.py [--data DIR] [--seeds 3] [--epochs 3] [--model resnet] [METHOD ...]

DIR holds the four IDX files of Fashion-MNIST, gzipped (Debian: dataset-fashion-mnist)."""
import argparse
import gzip
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F

WORKERS, BATCH, RATE, HIDDEN = 4, 32, 0.05, 128
SIGN_RATE, INNER_RATE, LOCAL_STEPS = 0.0005, 0.001, 20
MODEL = "mlp"


def read_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    dimensions = content[3]
    shape = struct.unpack(f">{dimensions}I", content[4:4 + 4 * dimensions])
    return torch.frombuffer(bytearray(content[4 + 4 * dimensions:]), dtype=torch.uint8).reshape(shape)


def read_data(folder):
    images = [read_idx(f"{folder}/{part}-images-idx3-ubyte.gz").flatten(1).float() for part in ("train", "t10k")]
    labels = [read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz").long() for part in ("train", "t10k")]
    mean, deviation = images[0].mean(), images[0].std(unbiased=False)
    return [(x - mean) / deviation for x in images], labels


class Block(nn.Module):
    """Pre-activation; where the shape changes, a 1x1 convolution of the activated input beside it."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.down = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.level = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = None if inputs == outputs and stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        active = F.relu(self.first(x))
        branch = self.level(F.relu(self.second(self.down(active))))
        return branch + (x if self.shortcut is None else self.shortcut(active))


def network():
    if MODEL == "resnet":
        return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 8, 3, 1, 1, bias=False), Block(8, 8, 1),
                             Block(8, 16, 2), Block(16, 32, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    return nn.Sequential(nn.Linear(784, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
                         nn.Linear(HIDDEN, 10, bias=False), nn.BatchNorm1d(10, affine=False))


class Worker:
    """A replica with its shard, reshuffled every epoch."""

    def __init__(self, state, shard, seed):
        self.net = network()
        self.net.load_state_dict(state)
        self.shard, self.generator, self.queue = shard, torch.Generator().manual_seed(seed), []
        self.parameters = list(self.net.parameters())

    def batch(self):
        if len(self.queue) < BATCH:
            self.queue = self.shard[torch.randperm(len(self.shard), generator=self.generator)]
        taken, self.queue = self.queue[:BATCH], self.queue[BATCH:]
        return taken

    def gradients(self, x, y):
        taken = self.batch()
        self.net.zero_grad()
        F.cross_entropy(self.net(x[taken]), y[taken]).backward()
        return [p.grad for p in self.parameters]


def mean(lists):
    return [torch.stack(each).mean(0) for each in zip(*lists)]


# Each method: called with all workers' lists of gradients, returns what all apply. State in `memory`.

def exact(gradients, memory):
    return mean(gradients)


def top_k(gradients, memory, feedback=True, share=0.01):
    residuals = memory.setdefault("e", [[torch.zeros_like(g) for g in gs] for gs in gradients])
    sent = []
    for gs, es in zip(gradients, residuals):
        own = []
        for g, e in zip(gs, es):
            p = g + e if feedback else g.clone()
            k = max(1, int(share * p.numel()))
            keep = p.abs().flatten().topk(k).indices
            c = torch.zeros(p.numel())
            c[keep] = p.flatten()[keep]
            c = c.reshape(p.shape)
            e.copy_(p - c)
            own.append(c)
        sent.append(own)
    return mean(sent)


def qsgd(gradients, memory, levels=7, bucket=512):
    def quantise(g):
        flat = g.flatten()
        padded = F.pad(flat, (0, -len(flat) % bucket)).reshape(-1, bucket)
        norm = padded.norm(dim=1, keepdim=True)
        scaled = levels * padded.abs() / norm.clamp_min(1e-30)
        level = scaled.floor()
        level += (torch.rand_like(level) < scaled - level).float()
        return (norm * padded.sign() * level / levels).flatten()[:len(flat)].reshape(g.shape)
    return mean([[quantise(g) for g in gs] for gs in gradients])


def power_sgd(gradients, memory, rank=2):
    errors = memory.setdefault("e", [[torch.zeros_like(g) for g in gs] for gs in gradients])
    factors = memory.setdefault("q", {})
    result = []
    for i in range(len(gradients[0])):
        gs = [worker[i] for worker in gradients]
        shape = gs[0].shape
        if gs[0].dim() < 2:
            result.append(torch.stack(gs).mean(0))
            continue
        ms = [(g + e[i]).flatten(1) for g, e in zip(gs, errors)]  # convolutions: outputs x all else
        r = min(rank, *ms[0].shape)
        q = factors.get(i, torch.randn(ms[0].shape[1], r))
        p, _ = torch.linalg.qr(torch.stack([m @ q for m in ms]).mean(0))
        q = torch.stack([m.T @ p for m in ms]).mean(0)
        factors[i] = q
        out = p @ q.T
        for m, e in zip(ms, errors):
            e[i].copy_((m - out).reshape(shape))
        result.append(out.reshape(shape))
    return result


def vote(gradients, memory):
    return [torch.stack([g.sign() for g in each]).sum(0).sign() for each in zip(*gradients)]


METHODS = {
    "data parallel": (exact, RATE),
    "top-k 1 %": (top_k, RATE),
    "top-k 1 % without feedback": (lambda g, m: top_k(g, m, feedback=False), RATE),
    "QSGD 4 bits": (qsgd, RATE),
    "PowerSGD rank 2": (power_sgd, RATE),
    "signSGD": (vote, SIGN_RATE),
}


def train(method, x, y, seed, epochs):
    torch.manual_seed(seed)
    state = network().state_dict()
    shards = torch.randperm(len(x)).chunk(WORKERS)
    workers = [Worker(state, shard, 1000 * seed + i) for i, shard in enumerate(shards)]
    steps = round(epochs * len(x) / BATCH / WORKERS)
    if method == "DiLoCo":
        return train_diloco(workers, x, y, steps)
    aggregate, rate = METHODS[method]
    memory = {}
    for _ in range(steps):
        combined = aggregate([[g.clone() for g in worker.gradients(x, y)] for worker in workers], memory)
        with torch.no_grad():
            for worker in workers:
                for p, g in zip(worker.parameters, combined):
                    p -= rate * g
    return workers[0].net


def train_diloco(workers, x, y, steps):
    """AdamW inside, Nesterov outside; a last round may be shorter."""
    outer = [p.detach().clone().requires_grad_() for p in workers[0].parameters]
    optimizer = torch.optim.SGD(outer, lr=0.7, momentum=0.9, nesterov=True)
    inner = [torch.optim.AdamW(w.parameters, lr=INNER_RATE, betas=(0.9, 0.999), weight_decay=0.01) for w in workers]
    while steps > 0:
        for worker, adam in zip(workers, inner):
            for _ in range(min(steps, LOCAL_STEPS)):
                worker.gradients(x, y)
                adam.step()
        steps -= LOCAL_STEPS
        with torch.no_grad():
            averages = mean([[p.detach() for p in w.parameters] for w in workers])
            for o, average in zip(outer, averages):
                o.grad = o - average
        optimizer.step()
        with torch.no_grad():
            for worker in workers:
                for p, o in zip(worker.parameters, outer):
                    p.copy_(o)
    return workers[0].net


def accuracy(net, x, y):
    net.train()  # normalised by test batches of 1000, as Isthmus does unless asked for running statistics
    with torch.no_grad():
        right = sum((net(x[i:i + 1000]).argmax(1) == y[i:i + 1000]).sum().item() for i in range(0, len(x), 1000))
    return right / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--model", choices=["mlp", "resnet"], default="mlp")
    parser.add_argument("methods", nargs="*", default=[*METHODS, "DiLoCo"])
    arguments = parser.parse_args()
    global MODEL
    MODEL = arguments.model
    (x, x_test), (y, y_test) = read_data(arguments.data)
    print("method,seed,accuracy")
    for method in arguments.methods:
        for seed in range(1, arguments.seeds + 1):
            net = train(method, x, y, seed, arguments.epochs)
            print(f"{method},{seed},{accuracy(net, x_test, y_test):.4f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
