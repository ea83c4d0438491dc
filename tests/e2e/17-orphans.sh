#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Programs of ours whose pins somebody removed: `apply` replaces them, `down` takes them off. And
# `down` does not say that nothing filters where the pins are in use in another namespace.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

filters() { # NAMESPACE LINK
    ip -n "$1" -d link show dev "$2" | grep -q xdp || ip netns exec "$1" tc filter show dev "$2" egress 2>/dev/null | grep -q fw_egress
}
fw_left() { in_left "$fwctl" --pin-dir "$pins" "$@"; }
second() { in_right "$fwctl" --pin-dir "$work/bpf/second" "$@"; }

printf 'interface fw0\ningress default drop {\n}\negress default drop {\n}\n' >"$work/fw.conf"
printf 'interface peer0\ningress default pass {\n}\n' >"$work/left.conf"

for tc in tcx clsact; do
    export FWCTL_TC=$tc
    fw -q apply "$work/fw.conf" || fail "apply ($tc)"
    filters "$right" fw0 || fail "nothing on fw0 ($tc)"

    # Another instance's programs are no orphans while it has its pins.
    second -q down || fail "down of another instance ($tc)"
    fw status >/dev/null || fail "another instance took ours: $(fw status)"

    rm -rf "$pins"
    fw -q apply "$work/fw.conf" || fail "apply over programs without pins ($tc)"
    fw status >/dev/null || fail "status after that ($tc): $(fw status)"
    [ "$(ip netns exec "$right" tc filter show dev fw0 egress 2>/dev/null | grep -c fw_egress)" -le 1 ] ||
        fail "an old filter is still there"
    rm -rf "$pins"
    fw -q down || fail "down over programs without pins ($tc)"
    filters "$right" fw0 && fail "down said nothing, and fw0 is filtered ($tc)"
done
unset FWCTL_TC

# One set of pins, two namespaces.
fw -q apply "$work/fw.conf" || fail "apply"
fw_left -q apply "$work/left.conf" || fail "apply in the other namespace"
filters "$right" fw0 || fail "fw0 is not filtered any more"
fw_left down >"$work/output" 2>&1 && fail "down succeeded with programs elsewhere: $(cat "$work/output")"
grep -q "namespace" "$work/output" || fail "unclear: $(cat "$work/output")"
filters "$left" peer0 && fail "peer0 is still filtered"
filters "$right" fw0 || fail "fw0 lost its program"
fw -q down || fail "down in the right namespace"
filters "$right" fw0 && fail "fw0 is still filtered"
[ ! -e "$pins" ] || fail "pins are left"
exit 0
