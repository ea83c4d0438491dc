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
held() {
    awk '/^(Slab|VmallocUsed|Percpu):/ { sum += $2 } END { print sum * 1024 }' /proc/meminfo
}
kernel_bytes() { # what it holds for itself, when what was freed is given back
    local before=0 now
    for _ in {1..20}; do
        now=$(held)
        [ $((now - before)) -gt -65536 ] && [ $((now - before)) -lt 65536 ] && break
        before=$now
        sleep 3
    done
    echo "$now"
}
elements() { # hosts4, hosts6, nets4, nets6
    case $1 in
    hosts4) seq 1 $count | awk '{ printf "10.%d.%d.%d\n", $1 / 65536, $1 / 256 % 256, $1 % 256 }' ;;
    hosts6) seq 1 $count | awk '{ printf "2001:db8::%x:%x\n", $1 / 65536, $1 % 65536 }' ;;
    nets4) seq 1 $count | awk '{ printf "%d.%d.%d.0/24\n", 10 + $1 / 65536, $1 / 256 % 256, $1 % 256 }' ;;
    nets6) seq 1 $count | awk '{ printf "2001:db8:%x:%x::/64\n", $1 / 65536, $1 % 65536 }' ;;
    esac
}
forecast_of() { # hosts|networks
    fw check "$work/full.conf" 2>&1 | grep 'set full: ' | case $1 in
    hosts) sed 's/.* when empty, \([0-9.]*\) MiB when full of hosts.*/\1/' ;;
    nets) sed 's/.* of hosts, \([0-9.]*\) MiB of networks.*/\1/' ;;
    esac
}

rules $count >"$work/full.conf"
for kind in hosts4 hosts6 nets4 nets6; do
    forecast=$(forecast_of "${kind%?}")
    [ -n "$forecast" ] || fail "check says nothing of the set's memory"
    rules 16 >"$work/fw.conf"
    fw -q apply "$work/fw.conf" 2>/dev/null || fail "apply"
    elements $kind >"$work/elements"
    before=$(kernel_bytes)
    fw -q apply "$work/full.conf" 2>/dev/null || fail "apply"
    empty=$(kernel_bytes)
    fw -q set add full --file "$work/elements" || fail "set add"
    full=$(kernel_bytes)
    echo "$kind: forecast $forecast MiB, $((full - before)) bytes for $count;" \
        "$(((full - empty) / count)) bytes each, $((empty - before)) for the empty set"
    awk "BEGIN { share = ($full - $before) / ($forecast * 1048576)
        exit !(share > 0.85 && share < 1.1) }" || fail "check is more than 15 % above or 10 % below"
    fw -q down || fail "down"
done
exit 0
