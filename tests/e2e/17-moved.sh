#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An interface goes to another network namespace, and another one gets its number: what was pinned
# for the one is not believed of the other. Commands that only read remove no pin.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

fw_left() { in_left "$fwctl" --pin-dir "$pins" "$@"; }
dropped() { fw stats --json | /usr/bin/python3 -c "import json, sys
print(sum(r['packets'] for r in json.load(sys.stdin)['rules'] if r['label'] == 'out'))"; }
send() { # COUNT
    in_right bash -c "for ((i = 0; i < $1; i++)); do echo x >/dev/udp/198.51.100.2/9; done"
}
device() { # a new one that is called moved0 and has number 77
    ip -n "$right" link add moved0 index 77 type veth peer name far0
    ip -n "$right" link set far0 up
    ip -n "$right" addr add 198.51.100.1/24 dev moved0
    ip -n "$right" link set moved0 up
    ip -n "$right" neigh replace 198.51.100.2 lladdr 02:00:00:00:00:02 nud permanent dev moved0
}

printf 'interface moved0\negress default pass {\n    drop udp to port 9  label out\n}\n' >"$work/fw.conf"
device
fw -q apply "$work/fw.conf" || fail "apply"
send 2
[ "$(dropped)" = 2 ] || fail "it does not filter at first"

ip -n "$right" link set moved0 netns "$left"
# Kernels before 6.2 rename no interface that is up.
ip -n "$right" link set far0 down
ip -n "$right" link set far0 name far1
device
fw status >"$work/status" && fail "status finds nothing wrong with a new interface: $(cat "$work/status")"
fw -q apply "$work/fw.conf" || fail "apply on the new interface"
fw status >"$work/status" || fail "status: $(cat "$work/status")"
send 3
[ "$(dropped)" = 5 ] || fail "the new interface is not filtered: $(dropped)"

# Where it went, it is seen: filtered through TCX, not any more through clsact, which the kernel takes
# away when an interface moves.
ip -n "$left" link set moved0 up
fw_left status >"$work/status"
grep -Eq '^moved0 .*tcx|problem: moved0 egress is not filtered' "$work/status" ||
    fail "status where it went: $(cat "$work/status")"

# A link that is gone leaves a pin: reading commands let it be, changing ones take it away.
ip -n "$right" link del moved0
before=$(ls "$pins/v1/links")
fw status >/dev/null
fw stats >/dev/null
[ "$(ls "$pins/v1/links")" = "$before" ] || fail "a reading command removed a pin"
device
fw -q apply "$work/fw.conf" || fail "apply after the link was gone"
send 1
[ "$(dropped)" = 6 ] || fail "not filtered after the link was gone: $(dropped)"
fw status >/dev/null || fail "status at the end: $(fw status)"
exit 0
