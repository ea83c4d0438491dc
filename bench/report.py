#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmarks say, kept and shown.

    report.py keep NAME COMMAND...   runs the command and keeps its lines of JSON in results/NAME.json
    report.py print [NAME...]        prints the tables, of all results if none is named
    report.py page FILE              puts them into a page, between <!-- NAME --> and <!-- end -->
    report.py plot FILE              cost against rules, as SVG (gnuplot)
"""
import json
import os
import re
import subprocess
import sys
import time

from plot import plot
from tables import TABLES
from targets import targets

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "results")


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    return {"kernel": os.uname().release.split("-")[0], "cores": os.cpu_count(),
            "processor": model.group(1).strip() if model else os.uname().machine}


def keep(name, command):
    load = os.getloadavg()[0]
    begin = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    rows = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    os.makedirs(RESULTS, exist_ok=True)
    result = {"machine": machine(), "date": time.strftime("%Y-%m-%d"),
              "command": " ".join(os.path.relpath(word, os.path.dirname(HERE))
                                  if word.startswith("/") else word for word in command),
              "before_others": os.sched_getscheduler(0) != os.SCHED_OTHER,
              "seconds": round(time.monotonic() - begin), "load_before": round(load, 1),
              "failed": run.returncode != 0, "rows": rows}
    with open(os.path.join(RESULTS, name + ".json"), "w", encoding="ascii") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    return 1 if run.returncode or not rows else 0


def read(name):
    try:
        with open(os.path.join(RESULTS, name + ".json"), encoding="ascii") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def heading(result):
    of = result["machine"]
    return (f"`{result['command']}`, {result['date']}: kernel {of['kernel']}, {of['cores']} cores "
            f"({of['processor']}), {result['seconds']} s; load before it {result['load_before']}"
            f"{', it went before others' if result.get('before_others') else ''}")


def text_of(name):
    result = read(name)
    if not result:
        return None
    lines = [heading(result), ""]
    for table in TABLES[name](result["rows"]):
        lines += table.lines() + [""]
    if result["failed"]:
        lines += ["It did not end well: what is missing above was not measured.", ""]
    return "\n".join(lines)


def targets_text():
    return "\n".join(targets({name: read(name) for name in TABLES}).lines()) + "\n"


def show(names):
    for name in names or TABLES:
        text = text_of(name)
        print(f"== {name} ==\n\n{text}" if text else f"== {name} ==\n\nno results\n")
    print("== targets ==\n\n" + targets_text())


def page(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name in [*TABLES, "targets"]:
        made = targets_text() if name == "targets" else text_of(name)
        if made:
            text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                          lambda match, made=made: match[1] + made + match[2], text,
                          flags=re.DOTALL)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(words):
    if len(words) > 2 and words[0] == "keep":
        return keep(words[1], words[2:])
    if words and words[0] == "print" and set(words[1:]) <= set(TABLES):
        return show(words[1:])
    if len(words) == 2 and words[0] == "page":
        return page(words[1])
    if len(words) == 2 and words[0] == "plot":
        return plot(read("ingress"), words[1])
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main(sys.argv[1:]))
