# SPDX-License-Identifier: GPL-2.0-only
"""Cost against number of rules as SVG, drawn by gnuplot if that is installed."""
import shutil
import subprocess

from tables import NAMES, first, over, unique


def points(rows, link):
    """A line for each number of rules; gnuplot leaves out what is a question mark."""
    for count in unique(row["rules"] for row in rows):
        wanted = {"rules": count, "link": link, "verdict": "drop", "packets": "random"}
        value = over(rows, wanted, "plain-drop") if first(rows, **wanted) else None
        yield f"{count} {value if value and value > 0 else '?'}"


def plot(result, path):
    if not shutil.which("gnuplot"):
        print("no plot: gnuplot is not installed")
        return 0
    if not result:
        print("no plot: there are no results to draw")
        return 1
    rows = result["rows"]
    links = [link for link in unique(row["link"] for row in rows) if not link.startswith("plain-")]
    blocks = "".join(f"${link.replace('-', '_')} << END\n" + "\n".join(points(rows, link)) + "\nEND\n"
                     for link in links)
    curves = ", ".join(f"${link.replace('-', '_')} using 1:2 with linespoints linewidth "
                       f"{3 if link == 'fwctl' else 1} title '{NAMES[link]}'" for link in links)
    script = f"""set terminal svg size 760,460 font 'sans-serif,12' background 'white'
set output '{path}'
set datafile missing '?'
set logscale xy
set xrange [0.8:13000]
set yrange [20:400000]
set xlabel 'rules'
set ylabel 'ns of a dropped packet over XDP\\_DROP'
set key left top
set grid
{blocks}plot {curves}
"""
    return subprocess.run(["gnuplot"], input=script, text=True, check=False).returncode
