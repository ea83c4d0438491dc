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

# Nothing of fwctl is loaded: then there is nothing to look for elsewhere. Programs of others that
# run on this machine are not ours to end, so only where there are none.
in_right "$fwctl" -q --pin-dir $shared down || fail "down"
sleep 0.2
if ! bpftool prog show | grep -q 'name fw_ingress'; then
    hidden status >"$work/out" 2>&1 && fail "status without rules is fine"
    grep -q "nsenter" "$work/out" && fail "nothing is hidden: $(cat "$work/out")"
    grep -q "fwctl apply" "$work/out" || fail "what to do is not said: $(cat "$work/out")"
fi
exit 0
