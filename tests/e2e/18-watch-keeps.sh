#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: long
# However often `watch` puts programs on again, it has as many of them open as at first, and `down`
# beside it takes all off.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
printf 'interface fw0\ningress default pass {\n    drop udp to port 9\n}\n' >"$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "apply"
start_right "$fwctl" --pin-dir "$pins" watch >"$work/watch.out" 2>&1
programs() { find "/proc/$started/fd" -lname '*bpf-prog*' | wc -l; } # open in the one that watches
again() { [ "$(grep -c 'fw0 ingress is filtered again' "$work/watch.out")" -ge "$turn" ]; }
is_off() { ! in_right ip -d link show dev fw0 | grep -q xdp; }
for turn in 1 2 3; do
    in_right ip link set dev fw0 xdp off
    wait_for 60 again || fail "turn $turn: not put on again: $(cat "$work/watch.out")"
    sleep 0.5
    [ "$turn" -gt 1 ] || first=$(programs)
done
[ "$(programs)" -le "$first" ] || fail "$first programs open after one turn, $(programs) after three"
fw down >"$work/out" 2>&1 || fail "down beside watch: $(cat "$work/out")"
is_off || fail "still filtered"
exit 0
