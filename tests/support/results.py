# SPDX-License-Identifier: Apache-2.0
"""Counts the single tests in a JUnit file of ctest: unittest's and CUnit's cases, not programs.

usage: results.py JUNIT.xml SKIPPED.txt    prints `passed failed skipped`; appends what was skipped
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

RAN = re.compile(r"^Ran (\d+) tests?", re.M)
ENDED = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$", re.M)
SKIPPED = re.compile(r"^(test_\w+) \(([\w.]+)\)(?:\n.*?)? \.\.\. skipped ['\"](.*)['\"]$", re.M)
CUNIT = re.compile(r"\.\.\.\s*(passed|FAILED)")


def count_unittest(output):
    """(passed, failed, skipped) of a run of unittest -v."""
    ran = int(RAN.search(output).group(1))
    ended = ENDED.findall(output)
    numbers = dict(re.findall(r"(\w+)=(\d+)", ended[-1] if ended else ""))
    failed = int(numbers.get("failures", 0)) + int(numbers.get("errors", 0))
    skipped = int(numbers.get("skipped", 0))
    return max(ran - failed - skipped, 0), failed, skipped


def count(case):
    """((passed, failed, skipped), [what was skipped]) of one program."""
    name, status = case.get("name"), case.get("status")
    output = case.findtext("system-out") or ""
    reasons = ["%s: %s" % (test, reason) for test, _, reason in SKIPPED.findall(output)]
    if RAN.search(output):
        counts = count_unittest(output)
    elif CUNIT.search(output):
        ends = CUNIT.findall(output)
        counts = ends.count("passed"), ends.count("FAILED"), 0
    elif status == "run":
        counts = 1, 0, 0
    elif status == "notrun":
        lines = output.strip().splitlines()
        reasons.append("%s: %s" % (name, lines[-1] if lines else "it could not run here"))
        counts = 0, 0, 1
    else:
        counts = 0, 1, 0
    if status == "fail" and counts[1] == 0:  # it crashed, or took too long
        counts = counts[0], 1, counts[2]
    return counts, reasons


def main(junit, skipped_file):
    totals, reasons = [0, 0, 0], []
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        counts, more = count(case)
        totals = [a + b for a, b in zip(totals, counts)]
        reasons += more
    with open(skipped_file, "a") as out:
        out.writelines(reason + "\n" for reason in reasons)
    print(*totals)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
