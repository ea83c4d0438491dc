#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The time of day jumps, and a CPU goes and comes again: flows, live sets, limits and counters do not
# notice.
# Only in a guest, whose clock and CPUs are nobody else's.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
[ -n "${FWCTL_IN_VM:-}" ] || skip "clock and CPUs are those of the host; this runs in guests only"
netns_start

cat >"$work/fw.conf" <<'END'
interface fw0
option timeout udp-unreplied 20min
set bad live timeout 20min
ingress default pass {
    drop from @bad label bad
    pass udp to port 9 limit 1/h burst 3 label limited
    pass udp to port 7 keep state label kept
    count udp to port 5 label plain
}
END
send() { # PORT COUNT
    in_left bash -c "for ((i = 0; i < $2; i++)); do echo x >/dev/udp/$right_inet/$1; done"
}
# shellcheck disable=SC2317  # wait_for asks is()
packets() { stat_of "rule(\"ingress\", \"$1\")"; }
# shellcheck disable=SC2317
is() { [ "$(packets "$1")" = "$2" ]; }
# shellcheck disable=SC2317
over() { # the limit
    [ "$(stat_of 'sum(r["limited"]["packets"] for r in s["rules"] if r["label"] == "limited")')" = "$1" ]
}
flows() { fw flows count udp to port 7; }
left_of() { # seconds that the element has
    fw set list bad --json | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)['elements'][0]['expires_in'])"
}
unmoved() { # WHAT: all is as it was begun
    [ "$(flows)" = 1 ] || fail "$1: $(flows) flows: $(fw flows)"
    [ "$(left_of)" -gt 600 ] || fail "$1: the element has $(left_of) s left"
    send 9 2
    wait_for 20 over $((over += 2)) || fail "$1: $(fw stats)"
    is limited 3 || fail "$1: the bucket was filled: $(fw stats)"
    send 5 4
    wait_for 20 is plain $((plain += 4)) || fail "$1: counters: $(fw stats)"
}

fw -q apply "$work/fw.conf" || fail "apply"
fw -q set add bad 203.0.113.1 || fail "set add"
send 7 1
send 9 5
over=2 plain=0
wait_for 20 over 2 || fail "nothing is counted: $(fw stats)"
unmoved "at the start"

for jump in "+1 day" "-2 days" "+1 day"; do
    date -s "$jump" >/dev/null || fail "the clock cannot be set"
    unmoved "$jump"
done

for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
    [ -w "$cpu/online" ] || continue
    taskset -c "${cpu##*cpu}" nsenter --net="/run/netns/$left" \
        bash -c "echo x >/dev/udp/$right_inet/5" # one that this CPU counts
    wait_for 20 is plain $((plain += 1)) || fail "CPU: $(fw stats)"
    echo 0 >"$cpu/online" || fail "the CPU stays"
    unmoved "without ${cpu##*/}"
    fw -q apply "$work/fw.conf" || fail "apply without ${cpu##*/}"
    unmoved "applied without ${cpu##*/}"
    echo 1 >"$cpu/online" || fail "the CPU does not come back"
    unmoved "with ${cpu##*/} again"
done
exit 0
