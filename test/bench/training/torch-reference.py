"""One measurement of PyTorch on a parity model: `python3 torch-reference.py JOB`, the same job as engine-main.

Weights come in the engine's layout (kernels [in, out], gates of GRUs in the order z, r, n) and are turned here; the
optimiser is torch.optim.Adam as it comes.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn


class Weights:
    """The flat weights, handed out in the order of the manifest."""

    def __init__(self, path):
        self.flat = np.fromfile(path, dtype="<f4")
        self.at = 0

    def take(self, *shape):
        size = int(np.prod(shape))
        part = self.flat[self.at : self.at + size].reshape(shape)
        self.at += size
        return torch.from_numpy(part.copy())


def put(parameter, values):
    assert tuple(parameter.shape) == tuple(values.shape), (parameter.shape, values.shape)
    with torch.no_grad():
        parameter.copy_(values)


def dense(weights, inputs, outputs):
    layer = nn.Linear(inputs, outputs)
    put(layer.weight, weights.take(inputs, outputs).T)
    put(layer.bias, weights.take(outputs))
    return layer


def conv(weights, taps, channels, filters):
    layer = nn.Conv1d(channels, filters, taps)
    put(layer.weight, weights.take(taps, channels, filters).permute(2, 1, 0))
    put(layer.bias, weights.take(filters))
    return layer


def model_a(weights):
    first, second = conv(weights, 5, 1, 8), conv(weights, 5, 8, 16)
    steps, channels = 1247, 16
    wide = nn.Linear(steps * channels, 32)
    # ours flattens [step, channel], torch [channel, step]
    kernel = weights.take(steps, channels, 32).permute(2, 1, 0).reshape(32, -1)
    put(wide.weight, kernel)
    put(wide.bias, weights.take(32))
    pool = nn.MaxPool1d(2)
    head = dense(weights, 32, 2)
    return nn.Sequential(
        first, nn.ReLU(), pool, second, nn.ReLU(), pool, nn.Flatten(), wide, nn.ReLU(), head
    )


class Recurrent(nn.Module):
    def __init__(self, layer, head):
        super().__init__()
        self.layer, self.head = layer, head

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


def model_b(weights, inputs=500, units=128):
    lstm = nn.LSTM(inputs, units, batch_first=True)
    put(lstm.weight_ih_l0, weights.take(inputs, 4 * units).T)
    put(lstm.weight_hh_l0, weights.take(units, 4 * units).T)
    put(lstm.bias_ih_l0, weights.take(4 * units))
    put(lstm.bias_hh_l0, torch.zeros(4 * units))
    # one bias, as in the engine: the second would train as well
    lstm.bias_hh_l0.requires_grad_(False)
    return Recurrent(lstm, dense(weights, units, 1))


def model_g(weights, inputs=500, units=128):
    gru = nn.GRU(inputs, units, batch_first=True)

    def gates(values):
        z, r, n = values.chunk(3, dim=-1)
        return torch.cat([r, z, n], dim=-1)

    put(gru.weight_ih_l0, gates(weights.take(inputs, 3 * units)).T)
    put(gru.weight_hh_l0, gates(weights.take(units, 3 * units)).T)
    bias = gates(weights.take(2, 3 * units))
    put(gru.bias_ih_l0, bias[0])
    put(gru.bias_hh_l0, bias[1])
    return Recurrent(gru, dense(weights, units, 1))


def mlp(weights, *widths):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [dense(weights, inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


MODELS = {
    "A": model_a,
    "B": model_b,
    "G": model_g,
    "C": lambda weights: mlp(weights, 10000, 1024, 256, 1024, 10000),
    "E": lambda weights: mlp(weights, 15000, 128, 2),
}


def peak_bytes():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main():
    asked = json.loads(sys.argv[1])
    job = asked["job"]
    torch.set_num_threads(asked["threads"])
    weights = Weights(job["weightsPath"])
    model = MODELS[asked["id"]](weights)
    assert weights.at == weights.flat.size
    del weights.flat
    data = job["data"]
    x = torch.from_numpy(np.fromfile(data["featuresPath"], dtype="<f4").reshape(data["shape"]))
    if asked["id"] == "A":
        x = x.permute(0, 2, 1).contiguous()
    if job["task"] == "classify":
        y = torch.from_numpy(np.fromfile(data["targetsPath"], dtype="<i4").astype(np.int64))
        loss_of = nn.CrossEntropyLoss()
    else:
        y = torch.from_numpy(np.fromfile(data["targetsPath"], dtype="<f4").reshape(data["n"], -1))
        loss_of = nn.MSELoss()
    parameters = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.Adam(
        parameters, lr=job["optimizer"]["learningRate"], eps=1e-7, fused=asked.get("fused")
    )
    ends, value = [], float("nan")
    for _ in range(job["epochs"]):
        adam.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        adam.step()
        value = loss.item()
        ends.append(time.time())
    print(
        json.dumps(
            {
                "steps": [1000 * (b - a) for a, b in zip(ends, ends[1:])],
                "loss": value,
                "firstStep": 1000 * ends[0] - asked["startedAt"],
                "peakBytes": peak_bytes(),
                "version": torch.__version__,
            }
        )
    )


main()
