"""Prints a recording's steps, one a line: `list.py NAME.steps.jsonl.gz [failures]`."""

import gzip
import json
import sys

for line in gzip.open(sys.argv[1]):
    step = json.loads(line)
    trace = step.get("trace", {})
    fault = trace.get("fault")
    if step["step"] in ("push", "scheduled"):
        if fault or len(sys.argv) < 3:
            text = "%(code)d %(name)s | %(what)s | %(message)s" % fault if fault else "ok %s" % trace.get("receipt")
            print(step["step"], ",".join(step.get("covers", [])), text)
    elif len(sys.argv) < 3:
        print(step)
