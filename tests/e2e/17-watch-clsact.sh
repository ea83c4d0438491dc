#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl watch` hears of it when somebody takes our clsact filter away, with or without the qdisc,
# and puts it back.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
export FWCTL_TC=clsact

printf 'interface fw0\negress default pass {\n    drop udp to port 9  label out\n}\n' >"$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "apply"
start_right "$fwctl" --pin-dir "$pins" watch >"$work/watch" 2>&1
filtered() { in_right tc filter show dev fw0 egress | grep -q fw_egress; }
filtered || fail "no filter of ours is on fw0: $(in_right tc filter show dev fw0 egress)"

# The first may be gone before watch looks for the first time; of the second it has to hear.
for try in first second; do
    in_right tc filter del dev fw0 egress
    wait_for 120 filtered || fail "the filter is not put back the $try time: $(cat "$work/watch")"
done
in_right tc qdisc del dev fw0 clsact
wait_for 120 filtered || fail "the filter is not put back with its qdisc: $(cat "$work/watch")"

in_right bash -c "for i in {1..7}; do echo x >/dev/udp/$left_inet/9; done"
[ "$(stat_of 'rule("egress", "out")')" = 7 ] || fail "it is put back and filters nothing: $(fw stats)"
exit 0
