#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl down` leaves nothing pinned or attached, and no map or program of ours in the kernel.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface fw0, lo
ingress default drop {
    pass icmp label ping
}
egress default pass {
    drop udp to port 9
}
END
ours() { # ids of programs that are attached by us: they use the pinned map
    local id
    id=$(bpftool -j map show pinned "$pins/v1/active" 2>/dev/null | sed 's/.*"id":\([0-9]*\).*/\1/')
    bpftool -j prog show | /usr/bin/python3 -c "import json, sys
print(*sorted(p['id'] for p in json.load(sys.stdin) if ${id:-0} in p.get('map_ids', [])))"
}
programs() { bpftool -j prog show | /usr/bin/python3 -c "import json, sys
print(*sorted(p['id'] for p in json.load(sys.stdin) if p['id'] in map(int, sys.argv[1:])))" "$@"; }

fw -q apply "$work/fw.conf" || fail "apply"
loaded=$(ours)
[ "$(wc -w <<<"$loaded")" -ge 3 ] || fail "expected programs on fw0 and lo, found '$loaded'"
in_left ping -c 2 -i 0.01 -W 1 $right_inet >/dev/null || fail "ping"
fw down || fail "down"
find "$work/bpf" -mindepth 1 ! -name '*.debug' | grep . && fail "pins are left"
for link in fw0 lo; do
    in_right ip -d link show dev $link | grep -q xdp && fail "XDP is still on $link"
done
# shellcheck disable=SC2086
gone() { [ -z "$(programs $loaded)" ]; }
wait_for 5 gone || fail "programs are left: $(programs $loaded)"
in_left ping -c 1 -W 1 $right_inet >/dev/null || fail "ping after down"
fw down || fail "down again"
exit 0
