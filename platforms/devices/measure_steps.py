"""Times of local steps in PyTorch, as `isthmus calibrate --device steps.csv --start DEVICE` reads them.

    python3 measure_steps.py steps.csv          # on a GPU if there is one
"""
import csv, itertools, json, sys, time
import torch
from torch import nn

gpu = torch.cuda.is_available()
device = "cuda" if gpu else "cpu"


def seconds_of_step(model, shape, batch, steps=20):
    model, optimizer = model.to(device), torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, labels = torch.randn(batch, *shape).pin_memory() if gpu else torch.randn(batch, *shape), torch.zeros(batch, dtype=torch.long)

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(inputs.to(device, non_blocking=True)), labels.to(device)).backward()
        optimizer.step()

    def timed():
        begin = time.perf_counter()
        for _ in range(steps):
            step()
        if gpu:
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) / steps

    return min(timed() for _ in range(6))


def perceptron(widths):
    layers = [nn.Flatten()]
    for i, o in zip([784] + widths, widths):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 10))


with open(sys.argv[1], "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["model", "shape", "batch", "seconds"])
    for width, depth, batch in itertools.product([64, 192, 512, 1024, 2048], [1, 2, 3], [16, 64, 200]):
        isthmus = {"kind": "mlp", "hidden": [width] * depth, "batch_norm": False}
        seconds = seconds_of_step(perceptron([width] * depth), (1, 28, 28), batch)
        table.writerow([json.dumps(isthmus), "1x28x28", batch, seconds])
