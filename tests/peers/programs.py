"""Our programs and ONNX Runtime, run beside each other, and a tally of what came out.

SPDX-License-Identifier: MIT

OUT in the environment is where our programs are, NODE_PATH where onnxruntime-node is.
"""
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.environ.get("OUT", "build/release")


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def note(self, good, what, subject, detail):
        print("%-4s  %-22s %-50s %s" % ("ok" if good else "FAIL", what, subject, detail), flush=True)
        self.passed += bool(good)
        self.failed += not good

    def attempt(self, what, subject, act):
        """Notes what act returns, (good, detail), or the error that it ends with."""
        try:
            good, detail = act()
        except Exception as error:  # whatever a peer's library raises is a comparison that failed
            good, detail = False, " ".join(str(error).split())[:400]
        self.note(good, what, subject, detail)


def core():
    """OpenBLAS's kernels as a worker chooses them by the processor (evaluator/main.c)."""
    with open("/proc/cpuinfo") as f:
        flags = set(f.read().split())
    return "SkylakeX" if "avx512f" in flags else "Haswell" if "avx2" in flags else None


def environment():
    """Ours with what a worker sets for itself."""
    chosen = core()
    wanted = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **({"OPENBLAS_CORETYPE": chosen} if chosen else {})}
    return {**wanted, **os.environ}


def run(*command):
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or "%s: exit status %d" % (command[0], done.returncode))
    return done.stdout


def worker(*arguments):
    return json.loads(run(os.path.join(OUT, "pare-worker"), *arguments, "--json"))


def onnxruntime(rows, listed):
    """Lets ONNX Runtime answer to rows as onnxruntime.js wants them, in one process; its results in the same order.
    `listed` is a file to write them to."""
    with open(listed, "w") as f:
        json.dump(rows, f)
    lines = run("node", os.path.join(HERE, "onnxruntime.js"), listed).splitlines()
    if len(lines) != len(rows):
        raise RuntimeError("ONNX Runtime answered to %d of %d models" % (len(lines), len(rows)))
    return [json.loads(line) for line in lines]
