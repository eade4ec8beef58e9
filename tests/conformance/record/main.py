"""Records the named scenarios, or all of them: `main.py FOLDER [NAME...]`."""

import importlib
import os
import pkgutil
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import scenarios  # noqa: E402


def main():
    folder, wanted = sys.argv[1], sys.argv[2:]
    known = {}
    for module in pkgutil.iter_modules(scenarios.__path__):
        for title, function in vars(importlib.import_module("scenarios." + module.name)).items():
            if title.startswith("record_"):
                known[title[7:]] = function
    failed = []
    for title in wanted or sorted(known):
        try:
            known[title](folder)
        except Exception:
            traceback.print_exc()
            failed.append(title)
    if failed:
        print("could not record:", ", ".join(failed))


main()
