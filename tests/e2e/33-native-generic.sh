#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# XDP judges alike in native and in generic mode: the same frames leave the same counters, up to
# the longest packets that a veth takes. The loopback, which has no native mode, is filtered too.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# Nothing but our frames: neighbours are permanent, and IPv6 is silent.
in_left sysctl -qw net.ipv6.conf.peer0.disable_ipv6=1
in_right sysctl -qw net.ipv6.conf.fw0.disable_ipv6=1

rules() { # MODE
    cat <<END
option essential off
interface fw0 mode $1
ingress default drop {
    count fragment                          label is-fragments
    pass  tcp flags S/SA to port 22         label is-syn
    drop  tcp from 192.0.2.0/28             label is-tcp
    drop  tcp from 2001:db8::/48            label is-tcp6
    drop  udp to port 53                    label is-dns
    drop  icmp type echo-request            label is-ping
    drop  icmp6 type { 128, 129 }           label is-ping6
    drop  vlan 5                            label is-vlan
    drop  proto { 47, 50, 51 }              label is-tunnels
    drop  ethertype 0x88cc                  label is-lldp
    drop  dmac 00:00:5e:00:53:02            label is-rest
}
END
}

# Every named packet, and the longer ones again behind 3000 bytes more, beyond a page.
/usr/bin/python3 "$root/tests/lib/packets.py" "$work/packets.pcap" || fail "no packets"
cat >"$work/send.py" <<'END'
import socket, sys
from scapy.utils import RawPcapReader
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("peer0", 0))
sent = 0
for frame, _ in RawPcapReader(sys.argv[1]):
    for tail in (0, 3000, 8000):
        if len(frame) >= 14:
            raw.send(frame + bytes(tail))
            sent += 1
print(sent)
END
counters() { # all that was counted at ingress, line by line
    stat_of "'\\n'.join(f\"{r.get('label') or r.get('reason')} {r['packets']} {r['bytes']}\"
for r in s['rules'] + s['reasons'] if r['hook'] == 'ingress')"
}

for mode in native generic; do
    ip -n "$left" link set peer0 mtu 65535
    ip -n "$right" link set fw0 mtu 65535
    rules $mode >"$work/fw.conf"
    fw -q apply "$work/fw.conf" || fail "apply in mode $mode"
    sent=$(in_left /usr/bin/python3 "$work/send.py" "$work/packets.pcap") || fail "cannot send"
    seen() { [ "$(stat_of 's["hooks"]["ingress"]["packets"]')" = "$sent" ]; }
    wait_for 30 seen || fail "$mode: of $sent frames $(stat_of 's["hooks"]["ingress"]["packets"]') are counted: $(fw stats)"
    counters >"$work/$mode"
    fw -q down || fail "down"
done
[ "$(wc -l <"$work/native")" -gt 12 ] || fail "no counters: $(cat "$work/native")"
[ "$(cat "$work/native")" = "$(cat "$work/generic")" ] ||
    fail "native and generic do not agree: $(paste "$work/native" "$work/generic")"
for label in fragments syn tcp tcp6 dns ping ping6 vlan tunnels lldp rest; do
    grep -q "^is-$label [1-9]" "$work/native" || fail "no packet for $label: $(cat "$work/native")"
done

# The longest packets, in and out, dropped and passed.
cat >"$work/receive.py" <<'END'
import socket, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind((sys.argv[1], 5000))
receiver.settimeout(10)
open(sys.argv[2], "w").close()
print(len(receiver.recv(65536)), flush=True)
END
datagram() { # in_left|in_right ADDRESS PORT
    "$1" /usr/bin/python3 -c "import contextlib, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
with contextlib.suppress(OSError):  # ENOBUFS tells that egress dropped it
    s.sendto(b'x' * 65507, ('$2', $3))"
}
for mode in native generic; do
    cat >"$work/fw.conf" <<END
interface fw0 mode $mode
ingress default drop {
    pass udp to port 5000   label in
    drop udp to port 9      label no-in
}
egress default drop {
    pass udp to port 5000   label out
    drop udp to port 9      label no-out
}
END
    fw -q apply "$work/fw.conf" || fail "apply in mode $mode"
    for side in left right; do
        rm -f "$work/ready" "$work/received"
        [ $side = left ] && there=right address=$right_inet || { there=left address=$left_inet; }
        start_$there /usr/bin/python3 "$work/receive.py" $address "$work/ready" >"$work/received"
        wait_for 30 test -e "$work/ready" || fail "the receiver does not start"
        datagram in_$side $address 5000
        datagram in_$side $address 9
        wait_for 30 test -s "$work/received" || fail "$mode: 65535 bytes from $side do not arrive: $(fw stats)"
        [ "$(cat "$work/received")" = 65507 ] || fail "$mode: $(cat "$work/received") bytes arrive"
    done
    for label in in no-in out no-out; do
        seen=$(stat_of "[(r['packets'], r['bytes']) for r in s['rules'] if r['label'] == '$label'][0]")
        [ "$seen" = "(1, 65549)" ] || fail "$mode: a frame of 65549 bytes counts as $seen for $label"
    done
    fw -q down || fail "down"
done

# What a host sends to itself crosses the loopback, and both hooks.
cat >"$work/lo.conf" <<'END'
interface lo
ingress default pass {
    drop on lo udp to port 9        label in
    pass udp to port 5000           label passed
}
egress default pass {
    drop on lo inet6 udp to port 9  label out
}
END
fw apply "$work/lo.conf" 2>"$work/apply" || fail "apply on lo: $(cat "$work/apply")"
grep -q "no native XDP" "$work/apply" || fail "it is not said why it is generic: $(cat "$work/apply")"
[ "$(fw status --json | /usr/bin/python3 -c "import json, sys
print(*[a['interface'] + a['mode'] for a in json.load(sys.stdin)['attachments'] if a['hook'] == 'ingress'])")" = logeneric ] ||
    fail "not generic on lo: $(fw status)"
in_right bash -c "for i in {1..4}; do echo x >/dev/udp/127.0.0.1/9; done"
in_right bash -c "for i in {1..6}; do echo x >/dev/udp/::1/9; done" 2>/dev/null
rm -f "$work/ready" "$work/received"
start_right /usr/bin/python3 "$work/receive.py" 127.0.0.1 "$work/ready" >"$work/received"
wait_for 30 test -e "$work/ready" || fail "the receiver does not start"
datagram in_right 127.0.0.1 5000
wait_for 30 test -s "$work/received" || fail "a datagram over lo does not arrive: $(fw stats)"
[ "$(stat_of 'rule("ingress", "in")')" = 4 ] || fail "ingress of lo: $(fw stats)"
[ "$(stat_of 'rule("egress", "out")')" = 6 ] || fail "egress of lo: $(fw stats)"
[ "$(stat_of 'rule("ingress", "passed")')" = 1 ] || fail "ingress of lo: $(fw stats)"
exit 0
