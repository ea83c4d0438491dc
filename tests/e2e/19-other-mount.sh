#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `ip netns exec` hides the pins: fwctl says so, instead of taking its own program for a stranger's.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

shared=/sys/fs/bpf/fwctl-test-$$
shared_end() {
    in_right "$fwctl" -q --pin-dir $shared down
    rmdir $shared 2>/dev/null
    netns_end
}
trap shared_end EXIT

printf 'interface fw0\ningress default pass {\n}\n' >"$work/fw.conf"
in_right "$fwctl" -q --pin-dir $shared apply "$work/fw.conf" || fail "apply"

# Where the bpf file system is hidden.
hidden() { ip netns exec "$right" "$fwctl" --pin-dir $shared "$@"; }
hidden status >"$work/out" 2>&1 && fail "status without the pins is fine: $(cat "$work/out")"
grep -q "nsenter --net=" "$work/out" || fail "status does not name nsenter: $(cat "$work/out")"

# Beside another fwctl, where libxdp's dispatcher cannot be used.
if in_right "$fwctl" --pin-dir $shared status | grep -q alone; then
    fw apply "$work/fw.conf" >"$work/out" 2>&1 && fail "two on one interface: $(fw status)"
    grep -q "another fwctl" "$work/out" || fail "its own program is a stranger: $(cat "$work/out")"
    grep -q "detach it" "$work/out" && fail "told to detach what filters: $(cat "$work/out")"
    fw -q down || fail "down of the second"
fi

# Nothing of fwctl is loaded: then there is nothing to look for elsewhere. Programs are the
# machine's, not the namespace's: those of the test before go a while after it, others may come at
# any time, and none of them are ours to end. So the answer counts where none were there before it
# and none after it. A listing that ends at a program that just went says nothing.
none_loaded() {
    local programs
    programs=$(bpftool prog show 2>&1) && ! grep -qE ' name fw_(ingress|egress|answer) ' <<<"$programs"
}

in_right "$fwctl" -q --pin-dir $shared down || fail "down"
for _ in {1..50}; do
    sleep 0.2
    none_loaded || continue
    hidden status >"$work/out" 2>&1 && fail "status without rules is fine"
    none_loaded || continue
    grep -q "nsenter" "$work/out" && fail "nothing is hidden: $(cat "$work/out")"
    grep -q "fwctl apply" "$work/out" || fail "what to do is not said: $(cat "$work/out")"
    exit 0
done
echo "note: another fwctl filters on this machine: what is said when nothing does was not seen"
exit 0
