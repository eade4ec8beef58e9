#!/usr/bin/env python3
"""advisories.py FOLDER : writes advisories.json, what the RustSec database (a git folder of
https://github.com/rustsec/advisory-db) says of the packages in Cargo.lock. The test `dependencies` reads it. Run it
again when dependencies change, and from time to time: what is not in it is not known here. Needs python 3.11.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

here = pathlib.Path(__file__).parent
lock = tomllib.loads((here / "../../Cargo.lock").read_text())
used = {package["name"] for package in lock["package"] if "source" in package}


def git(*arguments):
    return subprocess.run(["git", "-C", sys.argv[1], *arguments], capture_output=True, text=True, check=True).stdout


found = []
for path in git("ls-tree", "-r", "--name-only", "HEAD", "crates/").splitlines():
    if path.split("/")[1] not in used:
        continue
    text = re.search(r"```toml\n(.*?)```", git("show", f"HEAD:{path}"), re.S)
    document = tomllib.loads(text[1])
    advisory, versions = document["advisory"], document.get("versions", {})
    if "withdrawn" in advisory or advisory.get("informational") == "notice":
        continue
    safe = versions.get("patched", []) + versions.get("unaffected", [])
    found.append({"id": advisory["id"], "package": advisory["package"], "safe": safe})
    if "informational" in advisory:
        found[-1]["kind"] = advisory["informational"]

database = git("log", "-1", "--format=%H of %cs").strip()
lines = ",\n".join(
    "    " + json.dumps(entry) for entry in sorted(found, key=lambda entry: (entry["package"], entry["id"]))
)
(here / "advisories.json").write_text(f'{{\n  "database": "{database}",\n  "advisories": [\n{lines}\n  ]\n}}\n')
print(f"{len(found)} advisories of {len(used)} packages, database {database}")
