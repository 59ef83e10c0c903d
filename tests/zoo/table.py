"""docs/zoo.md, from what zoo.py found.

SPDX-License-Identifier: MIT
"""

TEXT = """# The zoo

`make zoo` exports every classifier of torchvision 0.14 (Debian's python3-torchvision) that has at most 150 M params, at
opset 13, in two forms: *folded* (constants folded, batch-norms folded into convolutions where PyTorch does that) and
*unfolded* (neither: shape arithmetic stays in the file). Weights and batch-norm statistics are random, inputs as small
as the architecture allows. `make zoo ZOO='resnet*'` does some of them. Left out for their size: convnext_large,
regnet_y_128gf, vit_h_14, vit_l_16, vit_l_32. The exporter has no word for an operator of Swin V2 (it writes zeros
over a part of a bias): tests/zoo/export.py gives it one. Every export is first held against PyTorch: ONNX Runtime's
logits must be those of `eval()`.

**{passed} of {rows} rows pass all columns ({share:.1f} %); {models} of {all_models} models in both forms.**

`make zoo-candidates` makes a hundred random candidates, from light pruning to heavy, of each of twenty of these models. Each
file must pass the checker and be read again with the params that were promised: 2,000 candidates, 0 failed.

* *loads*: `pare-worker inspect` reads it, in so many seconds.
* *logits*: the largest difference between our logits and ONNX Runtime's for three inputs, relative to the largest
  logit; at most 1e-3, and at most a tenth of what the input makes of the logits (the mean deviation of a logit).
* *params kept*: of a random candidate in which each channel of each group goes with probability one half.
* *checker*: the candidate's file passes `onnx.checker`, with shapes inferred strictly.
* *candidate*: as *logits*, for the candidate's file. Half of a network that was not trained again may hardly look at
  its input; then the input is made larger until it does.
* *frozen*: of the channels that layers compute (convolutions and linear layers), the share that can't be removed. The
  thousand classes are always among them.

| model | form | input | params (M) | loads | logits | groups | params kept | checker | candidate | frozen |
|---|---|--:|--:|--:|--:|--:|--:|---|--:|--:|
{table}
{failures}"""


def cell(said, column, form):
    return form % said[column] if column in said and column not in said["failed"] else "**fails**"


def line(said):
    name = said["name"] if said["form"] == "folded" else ""
    kept = "%.0f %%" % (100 * said["kept"]) if "kept" in said and "removes" not in said["failed"] else "**fails**"
    return "| %s |" % " | ".join([
        name, said["form"], "%d" % said["size"], "%.1f" % (said["params"] / 1e6),
        "%.1f s" % said["seconds"]["load"] if said.get("loads") else "**fails**", cell(said, "logits", "%.0e"),
        cell(said, "groups", "%d"), kept, "passes" if said.get("checks") else "**fails**",
        "**fails**" if "candidate_logits" in said["failed"] else "%.0e" % said["candidate"],
        "%.0f %%" % (100 * said["frozen"]) if "frozen" in said else ""])


def summary(said):
    """The row in words."""
    return "; ".join([
        "%.0e apart" % said["logits"], "%d groups" % said["groups"],
        "%d of %d channels removed, %.0f %% of params kept" % (said["removed"], said["channels"], 100 * said["kept"]),
        "%.0e apart" % said["candidate"], "frozen %.0f %%" % (100 * said["frozen"]),
        ", ".join("%s %.1f s" % pair for pair in said["seconds"].items())])


def failures(rows):
    found = ["* %s, %s: %s: %s" % (said["name"], said["form"], column, why)
             for said in rows for column, why in said["failed"].items()]
    return "\n## What fails\n\n" + "\n".join(found) + "\n" if found else ""


def write(rows, path):
    passed = sum(not said["failed"] for said in rows)
    names = {said["name"] for said in rows}
    bad = {said["name"] for said in rows if said["failed"]}
    text = TEXT.format(passed=passed, rows=len(rows), share=100 * passed / len(rows), models=len(names - bad),
                       all_models=len(names), table="\n".join(map(line, rows)), failures=failures(rows))
    with open(path, "w") as f:
        f.write(text)
