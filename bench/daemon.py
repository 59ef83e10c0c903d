"""A private daemon with workers, in a folder of its own.

SPDX-License-Identifier: MIT

It runs copies of the programs, so that a build meanwhile changes nothing under it, and ends with this process, however
that ends: the kernel sends it SIGTERM.
"""
import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time

from api import Api

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, ".."))
OUT = os.path.abspath(os.environ.get("OUT", os.path.join(ROOT, "build/release")))
PROGRAMS = ("pared", "pare-worker")
PR_SET_PDEATHSIG = 1


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Daemon:
    def __init__(self, folder, workers):
        self.folder, self.socket = folder, os.path.join(folder, "pared.sock")
        os.makedirs(folder, exist_ok=True)
        self.lock = open(os.path.join(folder, "lock"), "w", encoding="ascii")
        self.lock_folder()
        for name in PROGRAMS:
            shutil.copy2(os.path.join(OUT, name), os.path.join(folder, name + ".new"))
            os.replace(os.path.join(folder, name + ".new"), os.path.join(folder, name))
        with open(os.path.join(folder, "pared.json"), "w", encoding="ascii") as f:
            json.dump({"state": os.path.join(folder, "state"), "socket": self.socket, "workers": workers,
                       "cache": os.path.join(folder, "cache"), "log_level": "error"}, f)
        self.start()

    def lock_folder(self):
        """Two of us would take each other's jobs for leftovers."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("%s: is in use by another benchmark" % self.folder) from None

    def start(self, seconds=60):
        """Seconds until it answers."""
        began = time.perf_counter()
        self.process = subprocess.Popen([os.path.join(self.folder, "pared"), "-c",
                                         os.path.join(self.folder, "pared.json")], preexec_fn=end_with_parent)
        while not self.answers():
            if self.process.poll() is not None or time.perf_counter() - began > seconds:
                self.stop()
                raise RuntimeError("the daemon in %s does not start" % self.folder)
            time.sleep(0.005)
        return time.perf_counter() - began

    def answers(self):
        try:
            return self.api().get("/healthz") is not None
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    def api(self):
        return Api(self.socket)

    def stop(self):
        """start may follow: the folder stays locked."""
        self.process.terminate()
        self.process.wait()
