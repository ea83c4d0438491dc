#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How long it takes until new rules are in force: whole processes, fwctl and nft, the same rules.
# Rules run already and others take their place, back and forth. A line of JSON each. As root:
#	bench/apply.sh [RULES...]
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"
data=$root/../shared/data/classbench
turns=7

rules_of() { # COUNT: the ClassBench set of that size, else one that is made
    local name
    for name in acl1_$(($1 / 1000))k acl1_$1; do
        [ -e "$data/$name.gz" ] || continue
        zcat "$data/$name.gz" >"$work/classbench" && rules_of=(--classbench "$work/classbench")
        return
    done
    rules_of=("$1")
}

# `a` and `b` differ in one rule, so that neither is what runs.
files_write() { # COUNT
    local rules_of form last
    rules_of "$1"
    for form in fwctl nft; do
        "$fwbench" rules "--$form" "${rules_of[@]}" >"$work/$form.rules" || fail "no rules"
    done
    for last in a:1 b:2; do
        {
            printf 'interface fw0\noption essential off\ningress default pass {\n'
            cat "$work/fwctl.rules"
            printf 'drop from 203.0.113.%s label last\n}\n' "${last#*:}"
        } >"$work/${last%:*}.conf"
        {
            printf 'table netdev b {}\ndelete table netdev b\ntable netdev b {\nchain c {\n'
            printf 'type filter hook ingress device fw0 priority 0\n'
            cat "$work/nft.rules"
            printf 'ip saddr 203.0.113.%s counter drop\n}\n}\n' "${last#*:}"
        } >"$work/${last%:*}.nft"
    done
}

# Wall time, user and system time of each turn; what UNDO does is not timed.
time_turns() { # UNDO COMMAND...
    local undo=$1 left=$turns
    shift
    TIMEFORMAT='%3R %3U %3S'
    while [ $((left--)) -gt 0 ]; do
        { time "$@" >/dev/null 2>&1; } 2>&1 || echo failed
        $undo >/dev/null 2>&1
    done
}

tell() { # WHAT COUNT PROGRAM < times
    awk -v what="$1" -v count="$2" -v program="$3" '
        /failed/ { failed = 1 }
        { wall[NR] = $1 * 1000; cpu[NR] = ($2 + $3) * 1000 }
        function sorted(a, n,   i, j, t) { for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
            t = a[j]; a[j] = a[j - 1]; a[j - 1] = t } }
        END { sorted(wall, NR); sorted(cpu, NR); middle = int((NR + 1) / 2)
            if (failed) printf "{\"what\":\"%s\",\"rules\":%d,\"program\":\"%s\",\"rejected\":true}\n", what, count, program
            else printf "{\"what\":\"%s\",\"rules\":%d,\"program\":\"%s\",\"ms\":%.0f,\"least_ms\":%.0f,\"cpu_ms\":%.0f}\n",
                what, count, program, wall[middle], wall[1], cpu[middle] }'
}

fwctl_do() { in_right "$fwctl" --pin-dir "$pins" -q "$@"; }
nft_do() { in_right nft "$@"; }
other() { [ $now = a ] && now=b || now=a; } # the file that does not run
fwctl_apply() { fwctl_do apply "$work/$now.conf"; }
fwctl_add() { fwctl_do add ingress drop from 203.0.113.77 label extra; }
fwctl_delete() { fwctl_do delete extra; }
nft_apply() { nft_do -f "$work/$now.nft"; }
nft_add() { nft_do add rule netdev b c ip saddr 203.0.113.77 counter drop; }
nft_delete() {
    nft_do delete rule netdev b c handle \
        "$(nft_do -a list chain netdev b c | sed -n 's/.*203.0.113.77 .*# handle //p')"
}

bench_start
[ $# -gt 0 ] || set -- 10 1000 10000 100000
for count in "$@"; do
    now=a
    files_write "$count"
    fwctl_do apply "$work/b.conf" || note "fwctl refuses $count rules"
    time_turns other fwctl_apply | tell apply "$count" fwctl
    time_turns other nft_apply | tell apply "$count" nft
    # To take one out of 100,000 again, nft lists them all: too long to be worth it.
    if [ "$count" -le 10000 ]; then
        time_turns fwctl_delete fwctl_add | tell "add one" "$count" fwctl
        time_turns nft_delete nft_add | tell "add one" "$count" nft
    fi
    nft_do delete table netdev b
done
