#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Real traffic through both hooks: what a rule passes arrives, what it drops does not, and each
# packet is counted by its rule.
# vm: yes
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface fw0
ingress default drop {
    pass icmp type echo-request          label ping
    pass icmp6 type echo-request         label ping6
    pass udp to port 5000                label udp
    drop udp to port 6000                label no-udp
}
egress default pass {
    drop udp to port 7000                label no-out
    pass icmp                            label icmp-out
}
END
fw apply "$work/fw.conf" || fail "apply"

in_left ping -c 5 -i 0.01 -W 1 $right_inet >/dev/null || fail "IPv4 ping does not pass"
in_left ping -6 -c 5 -i 0.01 -W 1 $right_inet6 >/dev/null || fail "IPv6 ping does not pass"
[ "$(stat_of 'rule("ingress", "ping")')" = 5 ] || fail "5 pings are not counted as 5"
[ "$(stat_of 'rule("ingress", "ping6")')" = 5 ] || fail "5 IPv6 pings are not counted as 5"
[ "$(stat_of 'rule("egress", "icmp-out")')" = 5 ] || fail "5 replies are not counted as 5"

# Sends UDP datagrams: send_udp in_left|in_right ADDRESS PORT COUNT
send_udp() {
    "$1" /usr/bin/python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range($4): s.sendto(b'x' * 58, ('$2', $3))"
}
start_right /usr/bin/python3 -c "import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$right_inet', 5000))
open('$work/ready', 'w').close()
s.settimeout(10)
print(sum(len(s.recv(100)) for _ in range(20)))" >"$work/received"
wait_for 10 test -e "$work/ready" || fail "the receiver does not start"
send_udp in_left $right_inet 5000 20
send_udp in_left $right_inet 6000 30
send_udp in_right $left_inet 7000 40
wait_for 10 test -s "$work/received" || fail "UDP does not arrive"
[ "$(cat "$work/received")" = $((20 * 58)) ] || fail "20 datagrams of 58 bytes do not arrive"
[ "$(stat_of 'rule("ingress", "udp")')" = 20 ] || fail "20 datagrams are not counted as 20"
[ "$(stat_of 'rule("ingress", "no-udp")')" = 30 ] || fail "30 dropped are not counted as 30"
[ "$(stat_of 'rule("egress", "no-out")')" = 40 ] || fail "40 dropped out are not counted as 40"
bytes=$(stat_of '[r["bytes"] for r in s["rules"] if r["label"] == "udp"][0]')
[ "$bytes" = $((20 * 100)) ] || fail "20 frames of 100 bytes are counted as $bytes bytes"

in_left timeout 1 bash -c "exec 3<>/dev/tcp/$right_inet/22" 2>/dev/null && fail "TCP passes"
[ "$(stat_of 'rule("ingress", "default")')" -ge 1 ] || fail "the dropped SYN is not counted"
exit 0
