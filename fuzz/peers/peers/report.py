"""What was found: a line of JSON for each case that differs, and counts."""

import collections
import json
import sys
import time


class Report:
    def __init__(self, path, kind):
        self.file = open(path, "a") if path else None
        self.kind = kind
        self.counts = collections.Counter()
        self.refused = collections.Counter()
        self.by_name = collections.Counter()
        self.start = time.time()

    def refuse(self, name):
        self.refused[name] += 1

    def add(self, name, seed, description, differences):
        self.counts["cases"] += 1
        if not differences:
            return
        self.counts["different"] += 1
        for difference in differences[:1]:
            self.by_name[name, difference.field, difference.kind] += 1
        line = {"kind": self.kind, "name": name, "seed": seed, "case": description,
                "differences": [str(d) for d in differences]}
        if self.file:
            print(json.dumps(line), file=self.file, flush=True)
        if self.by_name[name, differences[0].field, differences[0].kind] <= 2:
            print(f"{name} seed {seed}: {description[:300]}", *differences, sep="\n    ", flush=True)

    def end(self):
        seconds = time.time() - self.start
        print(f"{self.kind}: {self.counts['cases']} cases in {seconds:.0f} s, {self.counts['different']} differ, "
              f"{sum(self.refused.values())} refused by PyTorch")
        for (name, field, kind), count in self.by_name.most_common(60):
            print(f"  {count:6} {name}: {field}, {kind}")
        most = ", ".join(f"{n} {c}" for n, c in self.refused.most_common(12))
        print(f"  refused most: {most}", file=sys.stderr)
