#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A bond in native mode: XDP runs on its parts and is told their number, but `on` means the bond. What
# becomes a part later is missed until the rules are switched in again, and status says so; SYNs are
# answered there too.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# On a bridge it does not: what is attached there is told the bridge's number. (Not in guests, which are
# slow, and whose kernels are no different in this.)
printf 'interface br0\ningress default pass {\n    count on br0 label bridge\n}\n' >"$work/br.conf"
if [ -z "${FWCTL_IN_VM:-}" ] && ip -n "$right" link add br0 type bridge 2>/dev/null; then
    ip -n "$right" link set br0 up
    fw -q apply "$work/br.conf" 2>/dev/null || fail "apply on a bridge"
    ip -n "$right" link add port0 type veth peer name port1
    ip -n "$right" link set port0 master br0
    fw status >"$work/status" || fail "a port that joins a bridge is a problem: $(cat "$work/status")"
    fw -q down || fail "down"
    ip -n "$right" link del port0
    ip -n "$right" link del br0
fi

modprobe -q bonding max_bonds=0 2>/dev/null
ip -n "$right" link add bond0 type bond mode active-backup 2>/dev/null || skip "this kernel has no bonds"
join() { # LINK
    ip -n "$right" link set "$1" down
    ip -n "$right" link set "$1" master bond0 || fail "$1 does not join the bond"
    ip -n "$right" link set "$1" up
}
join fw0
ip -n "$right" link set bond0 up
ip -n "$right" addr add 198.51.100.2/24 dev bond0
ip -n "$left" addr add 198.51.100.1/24 dev peer0
ip -n "$left" neigh replace 198.51.100.2 lladdr "$(mac "$right" bond0)" nud permanent dev peer0
in_left ip link set peer0 xdp obj "$root/build/tests/e2e/other.bpf.o" sec xdp || fail "the other end"
cat >"$work/fw.conf" <<'END'
interface bond0 mode native
option syncookie-after 0/s
ingress default pass {
    drop on bond0 udp to port 9  label whole
    count on fw0                 label part
    pass tcp to port 80 syncookie
}
egress default pass {
    count on bond0 label out
}
END
send() { in_left bash -c "for i in 1 2 3; do echo x >/dev/udp/198.51.100.2/9; done"; }
fw -q apply "$work/fw.conf" 2>/dev/null || fail "apply"
fw status >"$work/status" || fail "status: $(cat "$work/status")"
grep -q "SYNs are not answered" "$work/status" && fail "syncookie: $(cat "$work/status")"
send
[ "$(stat_of 'rule("ingress", "whole")')" = 3 ] || fail "the rule on the bond misses its packets: $(fw stats)"
[ "$(stat_of 'rule("ingress", "part")')" = 0 ] || fail "packets of the bond are taken for those of a part"
in_right ping -q -c 1 -W 5 198.51.100.1 >/dev/null || fail "ping"
[ "$(stat_of 'rule("egress", "out")')" -gt 0 ] || fail "the rule at egress: $(fw stats)"
in_right sysctl -qw net.ipv4.tcp_syncookies=2
cat >"$work/listen.py" <<'END'
import socket, sys
listener = socket.create_server(("198.51.100.2", 80))
open(sys.argv[1], "w").close()
listener.accept()
END
start_right /usr/bin/python3 "$work/listen.py" "$work/ready"
wait_for 30 test -e "$work/ready" || fail "no listener"
in_left timeout 10 bash -c ": >/dev/tcp/198.51.100.2/80" || fail "no connection: $(fw stats)"
[ "$(stat_of "s['cookies']['sent']")" = 1 ] || fail "the SYN is not answered: $(fw stats)"

# Another part. (A bond that runs natively takes one only if it has XDP too: a veth does.)
ip -n "$right" link add fw1 type veth peer name peer1
join fw1
fw status >"$work/status" && fail "a new part is not missed: $(cat "$work/status")"
grep -q "warning: bond0: SYNs are not answered" "$work/status" || fail "$(cat "$work/status")"
grep -q "problem: fw1 was no part of bond0 when the rules were compiled" "$work/status" ||
    fail "unclear: $(cat "$work/status")"
fw -q apply "$work/fw.conf" 2>/dev/null || fail "apply again"
fw status >"$work/status" || fail "status after apply: $(cat "$work/status")"
exit 0
