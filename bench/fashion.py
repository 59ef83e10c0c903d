"""Fashion-MNIST's training set in two files: what a search may use, and other images to check it on.

SPDX-License-Identifier: MIT

A job keeps the last images of its training set for scoring, and scores its Pareto members once more on its test set
when it finishes. So the training set's last OTHERS images stand in for the test set: no search sees them, nothing is
recalibrated on them, and the sample networks know them as well or as badly as the images that score candidates.
"""
import gzip
import os

DATA = "/usr/share/datasets/fashion-mnist/"
SCORED, OTHERS, ALL = 2000, 5000, 60000
#        kind: bytes of the header, of which 4 to 7 count the images; bytes an image
KINDS = {"images-idx3": (16, 784), "labels-idx1": (8, 1)}


def write(path, header, body):
    count = len(body[0]) // body[1]
    with gzip.GzipFile(path, "wb", 1, mtime=0) as f:  # the same bytes every time: a blob is named by them
        f.write(header[:4] + count.to_bytes(4, "big") + header[8:] + body[0])


def split(folder):
    """Makes the files unless they are there; {set: {"images": FILE, "labels": FILE}}."""
    os.makedirs(folder, exist_ok=True)
    sets = {"train": {}, "test": {}}
    for kind, (head, each) in KINDS.items():
        with gzip.open(DATA + "train-%s-ubyte.gz" % kind) as f:
            content = f.read()
        header, body, cut = content[:head], content[head:], each * (ALL - OTHERS)
        for name, part in (("train", body[:cut]), ("test", body[cut:])):
            path = sets[name][kind.split("-")[0]] = os.path.join(folder, "%s-%s-ubyte.gz" % (name, kind))
            if not os.path.exists(path):
                write(path + ".part", header, (part, each))
                os.rename(path + ".part", path)
    return sets
