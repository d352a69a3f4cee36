"""The steps of mlp_bench.cpp and resnet_bench.cpp in PyTorch, one thread, in milliseconds.

    python3 tests/bench/torch_steps.py
"""
import time
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


class Block(nn.Module):  # pre-activated, as in the ResIST authors' code
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = None if stride == 1 and inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        active = F.relu(self.norm1(x))
        return self.conv2(F.relu(self.norm2(self.conv1(active)))) + (self.shortcut(active) if self.shortcut else x)


def resnet(channels, widths, blocks):
    layers, width = [nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False)], widths[0]
    for section, outputs in enumerate(widths):
        for block in range(blocks):
            layers.append(Block(width, outputs, 2 if section > 0 and block == 0 else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def mlp(width):  # batch norm as in IST
    return nn.Sequential(nn.Flatten(), nn.Linear(784, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
                         nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
                         nn.Linear(width, 10, bias=False), nn.BatchNorm1d(10, affine=False))


def milliseconds(model, shape, batch, momentum, bf16=False):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=momentum)
    inputs, labels = torch.randn(batch, *shape), torch.randint(10, (batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()

    step()
    times = []
    while sum(times) < 6 or len(times) < 5:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return 1e3 * sorted(times)[len(times) // 2]


print("PyTorch", torch.__version__)
for width in (128, 256, 512, 1024):
    print(f"mlp {width}, batch 128: {milliseconds(mlp(width), (1, 28, 28), 128, 0):.3f}", flush=True)
for bf16 in (False, True):
    kind = "bf16" if bf16 else "fp32"
    print(f"resnet20 {kind}, batch 64: {milliseconds(resnet(1, (16, 32, 64), 3), (1, 28, 28), 64, 0.9, bf16):.1f}", flush=True)
    print(f"resnet18 {kind}, batch 32: {milliseconds(resnet(3, (64, 128, 256, 512), 2), (3, 32, 32), 32, 0.9, bf16):.1f}", flush=True)
