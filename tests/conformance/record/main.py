"""Records the named scenarios, or all of them: `main.py FOLDER [NAME...]`."""

import importlib
import os
import pkgutil
import sys

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
    for title in wanted or sorted(known):
        known[title](folder)


main()
