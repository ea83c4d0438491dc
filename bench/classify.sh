#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fwbench classify on ClassBench's sets where they are, IPv4 and as IPv6; on sets that it makes
# otherwise; and on lists of 1.5 million. A line of JSON each. As root: bench/classify.sh
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
data=$root/../shared/data/classbench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

classify() { "$root/build/fwbench" classify --json "$@" || failed=1; }

classbench() { # NAME [--six]
    local name=$1 trace=()
    shift
    [ -e "$data/$name.gz" ] || return
    zcat "$data/$name.gz" >"$work/$name"
    if [ -e "$data/${name}_trace.gz" ]; then
        zcat "$data/${name}_trace.gz" >"$work/trace"
        trace=(--trace "$work/trace")
    fi
    classify --classbench "$work/$name" "${trace[@]}" "$@"
}

if [ -d "$data" ]; then
    for size in 100 1k 10k 100k; do
        for family in acl1 acl4 fw1 fw4 ipc1; do
            classbench ${family}_$size
        done
    done
    for size in 1k 10k; do
        for family in acl1 fw1 ipc1; do
            classbench ${family}_$size --six
        done
    done
else
    classify
fi
list() { # NAME SET FROM
    printf 'option essential off\n%singress default pass { drop from %s }\n' "$2" "$3" >"$work/$1"
    classify --rules "$work/$1"
}
list list_none "" 198.51.100.1
for name in both routes; do
    "$root/bench/lists.py" "$work" $name \
        "$root/../shared/data/blocklists/romainmarcoux-malicious-ip-full.txt.gz"
    list list_$name 'set list file "list"
' @list
done
exit $failed
