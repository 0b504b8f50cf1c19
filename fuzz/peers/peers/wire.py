"""The program in Rust that answers cases: lines of JSON over a pipe, numbers as the hexadecimal bytes of doubles."""

import json
import os
import queue
import subprocess
import threading

import numpy

PROGRAM = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(os.path.dirname(__file__), "..", "target")),
                       "release", "wengert-peers")


def text(array):
    return numpy.ascontiguousarray(array, dtype="<f8").tobytes().hex()


def tensor(array, layout=0):
    """As it is to lie in memory there: axes in the other order (1), backwards (2), with gaps (4)."""
    return [list(array.shape), text(array), layout]


def numbers(text):
    return numpy.frombuffer(bytes.fromhex(text), dtype="<f8")


def number(x):
    """A number as JSON has it, or as a text."""
    return x if numpy.isfinite(x) else repr(float(x))


class Rust:
    """Sends cases and gives the answers in order. A program that ends before it has answered is the answer."""

    def __init__(self):
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.answers = queue.Queue()
        threading.Thread(target=self.read, args=(self.process, self.answers), daemon=True).start()

    @staticmethod
    def read(process, answers):
        for line in process.stdout:
            answers.put(line)
        answers.put(None)

    def ask(self, cases):
        waiting = list(cases)
        sent = threading.Thread(target=self.send, args=(self.process, waiting), daemon=True)
        sent.start()
        for number in range(len(waiting)):
            line = self.answers.get()
            if line is None:
                end = self.process.stderr.read().decode()[-300:]
                self.start()
                return [*self.before, {"panic": f"the program ended: {end}"}, *self.ask(waiting[number + 1:])]
            self.before = [] if number == 0 else self.before
            self.before.append(json.loads(line))
        return self.before if waiting else []

    @staticmethod
    def send(process, cases):
        try:
            for case in cases:
                process.stdin.write((json.dumps(case) + "\n").encode())
            process.stdin.flush()
        except BrokenPipeError:
            pass
