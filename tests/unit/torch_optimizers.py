#!/usr/bin/env python3
"""Writes torch_optimizers.json: what PyTorch's optimizers make of some gradients, step by step, in double.
Made with PyTorch 1.13.1 (Debian 12's python3-torch)."""
import json
import pathlib

import torch

SIZE, STEPS = 5, 8
CASES = [
    ({"kind": "sgd"}, torch.optim.SGD, {}),
    ({"kind": "sgd", "momentum": 0.9, "weight_decay": 0.1}, torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    ({"kind": "sgd", "momentum": 0.9, "nesterov": True}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ({"kind": "adam"}, torch.optim.Adam, {}),
    ({"kind": "adam", "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3}, torch.optim.Adam, {"betas": (0.5, 0.9), "eps": 1e-3}),
    ({"kind": "adam", "weight_decay": 0.1}, torch.optim.Adam, {"weight_decay": 0.1}),
    ({"kind": "adamw"}, torch.optim.AdamW, {}),
    ({"kind": "adamw", "weight_decay": 0.3, "beta2": 0.95}, torch.optim.AdamW, {"weight_decay": 0.3, "betas": (0.9, 0.95)}),
]


def run(options, make, arguments, clip):
    generator = torch.Generator().manual_seed(1)
    draw = lambda: torch.randn(SIZE, generator=generator, dtype=torch.float32).double()
    parameters = torch.nn.Parameter(draw())
    optimizer = make([parameters], lr=1, **arguments)
    case = {"options": options, "start": parameters.tolist(), "steps": []}
    if clip:
        case["clip"] = clip
    for step in range(STEPS):
        rate = 0.1 / (step + 1)
        gradients = draw()
        parameters.grad = gradients.clone()
        if clip:
            torch.nn.utils.clip_grad_norm_([parameters], clip)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        case["steps"].append({"rate": rate, "gradients": gradients.tolist(), "parameters": parameters.tolist()})
    return case


cases = [run(*case, None) for case in CASES] + [run(*CASES[1], 1.5), run(*CASES[6], 1.5)]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
