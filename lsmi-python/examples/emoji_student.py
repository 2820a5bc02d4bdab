"""Trains a small student of the emoji under several policies, over seeds, and compares the losses of unseen emoji.

    python emoji_student.py 10        # seeds; about forty seconds each on one core

For each seed, a fifth of the emoji tests, a tenth validates. A teacher of 64 units learns from three quarters of the rest, a
student of 8 units from the other quarter and from what the teacher says of it. Every policy has the same students: samples,
parameters at the start and order of batches; the distillation losses have the factor, .3 or 1, that is better on validation rows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import sqrt

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import lsmi
from lsmi.torch import Guide, GuidedDistillation, Outputs

EPOCHS = 100
POLICIES = [("sources", "fixed"), ("sources", "tracked"), ("both", "fixed"), ("all", "fixed"), ("random", "fixed"),
            ("random", "tracked"), ("none", "fixed")]  # fmt: skip

torch.set_num_threads(1)
pictures, names, categories, ids = lsmi.demo_data()
classes = sorted(set(categories))
labels = np.array([classes.index(category) for category in categories])
X1, X2, Y = torch.from_numpy(pictures).float(), torch.from_numpy(names).float(), torch.from_numpy(labels)
IDS = np.array(ids, dtype=object)


class Network(nn.Module):
    """An encoder of each modality, fused features, and a head on each of the three."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(X1.shape[1], units), nn.Linear(X2.shape[1], units)
        self.fusion = nn.Sequential(nn.Linear(2 * units, 16), nn.ReLU())
        self.joint = nn.Linear(16, len(classes))
        self.alone1, self.alone2 = nn.Linear(units, len(classes)), nn.Linear(units, len(classes))

    def forward(self, rows: np.ndarray) -> tuple[tuple[torch.Tensor, torch.Tensor], Outputs]:
        first, second = self.first(X1[rows]).relu(), self.second(X2[rows]).relu()
        fused = self.fusion(torch.cat([first, second], -1))
        return (first, second), Outputs(self.joint(fused), fused, (self.alone1(first), self.alone2(second)))


def train(
    network: Network,
    rows: np.ndarray,
    epochs: int,
    seed: int,
    loss: Callable[[Network, np.ndarray], torch.Tensor],
    guide: Guide | None = None,
) -> None:
    order, optimizer = torch.Generator().manual_seed(seed), torch.optim.Adam(network.parameters(), 0.005)
    for epoch in range(epochs):
        if guide is not None:
            guide.start_epoch(epoch)
        for batch in torch.randperm(len(rows), generator=order).split(64):
            optimizer.zero_grad()
            loss(network, rows[batch.numpy()]).backward()
            optimizer.step()
        if guide is not None:
            guide.end_epoch(epoch)


def loss_of(network: Network, rows: np.ndarray) -> float:
    with torch.no_grad():
        return cross_entropy(network(rows)[1].logits, Y[rows]).item()


def run(seed: int) -> list[float]:
    """Returns the log loss of test rows under each policy, in nats."""
    rows = np.random.default_rng(seed).permutation(len(labels))
    test, validation, known = rows[:380], rows[380:570], rows[570:]
    learned, taught = known[: len(known) // 4], known[len(known) // 4 :]
    torch.manual_seed(seed)
    teacher = Network(64)
    train(teacher, taught, 40, seed, lambda network, batch: cross_entropy(network(batch)[1].logits, Y[batch]))
    with torch.no_grad():
        of_teacher = teacher(np.arange(len(labels)))[1]
    analysis = lsmi.analyze(
        X1[known], X2[known], labels[known], ids=IDS[known], repeats=1, folds=3, seed=seed, threads=1, progress=False
    )
    losses = []
    for policy, interactions in POLICIES:
        found = []
        for factor in (0.3, 1.0):
            torch.manual_seed(seed)
            student = Network(8)
            if interactions == "fixed":
                guide = Guide(policy, analysis, seed=seed)
            else:
                guide = Guide(policy, "tracked", ids=IDS[learned], labels=labels[learned], classes=len(classes),
                              mode="synchronous", every=10, smoothing=0.5, seed=seed)  # fmt: skip
            distillation = GuidedDistillation(temperature=2.0, feature=factor, output=factor, auxiliary=factor)

            def loss(network: Network, batch: np.ndarray) -> torch.Tensor:
                features, outputs = network(batch)
                weights = guide.weights(IDS[batch])
                guide.observe(IDS[batch], features, outputs.logits)
                aim = Outputs(of_teacher.logits[batch], of_teacher.features[batch])
                return distillation(outputs, aim, Y[batch], weights).total

            train(student, learned, EPOCHS, seed, loss, guide)
            found.append((loss_of(student, validation), loss_of(student, test)))
        losses.append(min(found)[1])
    return losses


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    losses = np.array([run(seed) for seed in range(seeds)])
    for (policy, interactions), column in zip(POLICIES, losses.T):
        gain = column - losses[:, 0]
        # A normal interval over seeds; of ten, Student's t is a little wider.
        half = 1.96 * gain.std(ddof=1) / sqrt(seeds) if seeds > 1 else float("nan")
        print(f"{policy:8} {interactions:8} {column.mean():.3f}   sources fixed is better by {gain.mean():.3f} +- {half:.3f}")


if __name__ == "__main__":
    main()
