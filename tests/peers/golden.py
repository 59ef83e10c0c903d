#!/usr/bin/python3
"""Write tests/golden/fashion-NAME.f32: what PyTorch answers to the first 256 test images of Fashion-MNIST.

SPDX-License-Identifier: MIT

Usage: golden.py [FOLDER]. One file a sample: 256 x 10 logits, little-endian float32. The files are committed; run this
again only when a sample changes.
"""
import os
import sys

import torch

import networks

IMAGES = 256


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(networks.ROOT, "tests/golden")
    torch.set_num_threads(1)
    x = networks.test_images(IMAGES)
    for name in networks.NETWORKS:
        with torch.no_grad():
            logits = networks.sample(name)(x)
        path = os.path.join(folder, "fashion-%s.f32" % name)
        logits.numpy().astype("<f4").tofile(path)
        print("%s: %d x %d" % (path, *logits.shape))


if __name__ == "__main__":
    main()
