#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl apply` that gets a signal is done wholly or not at all.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# A signal that ends it (the terminal goes, somebody loses patience) leaves the rules before, on the
# interfaces before, or the new ones on all of theirs: never new rules on half of the interfaces.
for i in 1 2 3 4 5 6; do
    ip -n "$right" link add "more$i" type veth peer name "more-$i"
done
printf 'interface fw0\ningress default pass { }\n' >"$work/few.conf"
printf 'interface fw0, "more?"\ningress default pass { }\negress default pass { }\n' >"$work/many.conf"
# Until it has become another program, a signal would run our own traps in it.
is_started() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" != "$(cat "/proc/$$/comm")" ]; }
signals=(TERM INT HUP)
cut=0
# Spread over the time that it takes here.
fw -q apply "$work/few.conf" || fail "apply"
began=$(date +%s%3N)
fw -q apply "$work/many.conf" || fail "apply"
took=$(($(date +%s%3N) - began))
for ((try = 0; try < 16; try++)); do
    delay=$((try * took / 16))
    fw -q apply "$work/few.conf" || fail "apply"
    start_right env --default-signal=INT "$fwctl" --pin-dir "$pins" -q apply "$work/many.conf" 2>"$work/err"
    victim=$started children=()
    wait_for 5 is_started "$victim"
    sleep "$((delay / 1000)).$(printf '%03d' $((delay % 1000)))"
    kill -s "${signals[try % 3]}" "$victim" 2>/dev/null
    wait "$victim" 2>/dev/null || cut=$((cut + 1))
    fw status >"$work/out" || fail "after ${signals[try % 3]} at $delay of $took ms: $(cat "$work/out")"
done
[ $cut -gt 0 ] || fail "no signal came in time"
echo "note: $cut of $try applies were ended by a signal"
exit 0
