#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: long
# What `fwctl check` says of a live set's memory is what the kernel takes for it. Only in a guest,
# where nothing else takes or gives back memory meanwhile.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
[ -n "${FWCTL_IN_VM:-}" ] || skip "memory is measured in guests only, where nothing else takes any"
netns_start
count=100000

rules() { # SIZE
    printf 'interface fw0\nset full live size %s\ningress default pass {\n drop from @full\n}\n' "$1"
}
kernel_bytes() { # what it holds for itself, when what was freed is given back
    sleep 2
    awk '/^(Slab|VmallocUsed|Percpu):/ { sum += $2 } END { print sum * 1024 }' /proc/meminfo
}
hosts() { # IPv4 or IPv6
    case $1 in
    4) seq 1 $count | awk '{ printf "10.%d.%d.%d\n", $1 / 65536, $1 / 256 % 256, $1 % 256 }' ;;
    6) seq 1 $count | awk '{ printf "2001:db8::%x:%x\n", $1 / 65536, $1 % 65536 }' ;;
    esac
}

rules $count >"$work/full.conf"
forecast=$(fw check "$work/full.conf" 2>&1 |
    sed -n 's/.*set full: .* when empty, \([0-9.]*\) MiB when full.*/\1/p')
[ -n "$forecast" ] || fail "check says nothing of the set's memory"
for family in 4 6; do
    rules 16 >"$work/fw.conf"
    fw -q apply "$work/fw.conf" 2>/dev/null || fail "apply"
    hosts $family >"$work/hosts"
    before=$(kernel_bytes)
    fw -q apply "$work/full.conf" 2>/dev/null || fail "apply"
    empty=$(kernel_bytes)
    fw -q set add full --file "$work/hosts" || fail "set add"
    full=$(kernel_bytes)
    echo "IPv$family: forecast $forecast MB, $((full - before)) bytes for $count hosts;" \
        "$(((full - empty) / count)) bytes a host, $((empty - before)) for the empty set"
    awk "BEGIN { share = ($full - $before) / ($forecast * 1048576)
        exit !(share > 0.9 && share < 1.1) }" || fail "more than 10 % off the forecast"
    fw -q down || fail "down"
done
exit 0
