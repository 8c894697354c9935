# SPDX-License-Identifier: Apache-2.0
"""The files that a check looks at: those git knows (or would add) below a root, by ending."""
import os
import subprocess

SKIPPED = ("build", ".git", "__pycache__")


def _listed(root):
    done = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                          capture_output=True)
    if done.returncode == 0:
        return [name for name in done.stdout.decode().split("\0") if name]
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return found


def files(root):
    """Paths relative to root, sorted; deleted ones and links are left out."""
    return sorted(name for name in _listed(root)
                  if os.path.isfile(os.path.join(root, name)) and
                  not os.path.islink(os.path.join(root, name)))


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def default_root():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def is_script(root, name):
    """True for a file that begins with #!, whatever its name."""
    with open(os.path.join(root, name), "rb") as file:
        return file.read(2) == b"#!"


def report(problems):
    """Prints them and returns the exit status of a check."""
    for problem in problems:
        print("error: " + problem)
    return 1 if problems else 0
