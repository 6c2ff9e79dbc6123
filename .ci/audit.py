"""Looks whether anything is known against the packages of an environment: python3 .ci/audit.py PYTHON

pip-audit, in an environment of its own, asks PyPI and then OSV about every package that PYTHON has, as
frozen; what only installs packages (pip, setuptools) is not part of that. What is found fails. Where no
service can be reached, nothing can be found: that is said, and does not fail.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any


def frozen(python: str) -> list[str]:
    """The packages of an environment, each with its version."""
    command = [python, "-m", "pip", "freeze", "--disable-pip-version-check", "--exclude-editable"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if "==" in line]


def tool(folder: Path) -> list[str]:
    """pip-audit, installed into a folder."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "pip-audit>=2.10"], check=True, stderr=subprocess.DEVNULL
    )
    return [python, "-m", "pip_audit", "--progress-spinner", "off"]


def asked(command: list[str]) -> list[dict[str, Any]] | None:
    """What pip-audit says of each package; None when it could not ask."""
    done = subprocess.run([*command, "-f", "json"], capture_output=True, text=True, check=False)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except ValueError:
        print("  " + (done.stderr.strip().splitlines() or ["no answer"])[-1][:300])
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("python")
    parser.add_argument("--osv-url", help="ask this instead of the public OSV")
    options = parser.parse_args()
    packages = frozen(options.python)
    found: dict[str, set[str]] = {}
    looked_up: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "packages.txt"
        listed.write_text("\n".join(packages))
        command = [*tool(Path(folder) / "tool"), "-r", str(listed), "--no-deps", "--disable-pip"]
        if asked([*command, "--dry-run"]) is None:
            sys.exit("pip-audit does not run")
        osv = ["--osv-url", options.osv_url] if options.osv_url else []
        for service, more in (("pypi", []), ("osv", osv)):
            print(f"asking {service} about {len(packages)} packages")
            for package in asked([*command, "-s", service, *more]) or []:
                if "vulns" in package:
                    looked_up.add(package["name"])
                    for one in package["vulns"]:
                        found.setdefault(f"{package['name']} {package['version']}", set()).add(one["id"])
    for package, ids in sorted(found.items()):
        print(f"{package}: {', '.join(sorted(ids))}")
    print(f"{len(looked_up)} of {len(packages)} packages were looked up; {len(found)} are vulnerable")
    if not looked_up:
        print("NOTHING WAS AUDITED: no vulnerability service answers from this machine")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
