"""The networks' parts by their definitions, in plain NumPy."""

import numpy as np


def layer_norm(x, weight, bias):
    """x (C, H, W): normalise each pixel over its channels."""
    mean, variance = x.mean(axis=0), x.var(axis=0)
    z = (x - mean) / np.sqrt(variance + 1e-6)
    return z * weight[:, None, None] + bias[:, None, None]


def convolve(x, weight, bias, stride=1, groups=1):
    """Convolution by its definition, zeros outside; x (C, H, W)."""
    outputs, inputs, high, wide = weight.shape
    pad = high // 2 if stride == 1 else 0
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    rows, columns = (x.shape[1] - high) // stride + 1, (x.shape[2] - wide) // stride + 1
    result = np.zeros((outputs, rows, columns))
    for o in range(outputs):
        group = o // (outputs // groups)
        source = x[group * inputs : (group + 1) * inputs]
        for i in range(rows):
            for j in range(columns):
                window = source[:, i * stride : i * stride + high]
                window = window[:, :, j * stride : j * stride + wide]
                result[o, i, j] = (window * weight[o]).sum()
    return result if bias is None else result + bias[:, None, None]


def pixel_shuffle(x):
    channels, height, width = x.shape
    result = np.zeros((channels // 4, 2 * height, 2 * width))
    for c in range(channels // 4):
        for i in range(2):
            for j in range(2):
                result[c, i::2, j::2] = x[4 * c + 2 * i + j]
    return result


def parameters(network):
    return {k: v.numpy().astype(np.float64) for k, v in network.state_dict().items()}


def part(p, prefix):
    """The parameters below a name."""
    return {k.removeprefix(prefix): v for k, v in p.items() if k.startswith(prefix)}
