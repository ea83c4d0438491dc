#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All benchmarks, one after the other (about 10 minutes on a quiet machine, as root), or those that
# are named. Their results go into bench/results/, the tables to the terminal.
#	bench/run.sh [classify|ingress|egress|lists|sets|apply|state...]
set -u
cd "$(dirname "$0")/.." || exit 1
[ "$(id -u)" -eq 0 ] || { echo "needs root: programs are loaded, namespaces are made"; exit 1; }
[ $# -gt 0 ] || set -- classify ingress egress lists sets apply state
failed=0

for name in "$@"; do
    case $name in
    ingress | egress) command=(bench/traffic.sh "$name") ;;
    classify | lists | sets | apply | state) command=("bench/$name.sh") ;;
    *) echo "there is no benchmark $name"; exit 2 ;;
    esac
    echo "$name ..." >&2
    bench/report.py keep "$name" "${command[@]}" || { echo "$name did not end well" >&2; failed=1; }
done
bench/report.py print "$@"
bench/report.py plot bench/results/drop.svg
exit $failed
