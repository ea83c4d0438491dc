#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every packet is accounted for: what a counter of the kernel's sees leaving the peer is the sum of
# our counters, in packets and bytes; so is what leaves fw0, also under segmentation offload.
# vm: yes
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface fw0
ingress default drop {
    pass tcp            label tcp
    pass icmp           label ping
    drop udp            label udp
    count from any      label never
}
egress default pass {
    drop udp            label udp-out
    pass tcp            label tcp-out
}
END

# Sum of a hook's rules (without count rules) and reasons.
sum_of() { # HOOK packets|bytes
    stat_of "sum(r['$2'] for r in s['rules'] if r['hook'] == '$1' and r['action'] != 'count') \
+ sum(r['$2'] for r in s['reasons'] if r['hook'] == '$1')"
}

in_left tc qdisc add dev peer0 root pfifo limit 100000 || fail "no counter on the peer"
wire() { # packets|bytes
    in_left tc -s -j qdisc show dev peer0 | /usr/bin/python3 -c "import json, sys
print(sum(q['$1'] for q in json.load(sys.stdin) if q['kind'] == 'pfifo'))"
}

fw apply "$work/fw.conf" || fail "apply"
before_packets=$(wire packets) before_bytes=$(wire bytes)
base_packets=$(sum_of ingress packets) base_bytes=$(sum_of ingress bytes)
base_out=$(sum_of egress packets)
fw0_before=$(counted "$right" fw0 tx packets)

in_left ping -c 50 -i 0.002 -W 1 $right_inet >/dev/null || fail "ping"
in_left /usr/bin/python3 - <<END
import os, random, socket
random.seed(1)
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("peer0", 0))
mac = bytes.fromhex("$(mac "$right" fw0)".replace(":", ""))
# Frames of all kinds, most of them malformed.
for size in range(14, 514):
    kind = random.choice([b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00", b"\x88\xcc"])
    raw.send(mac + b"\x02\0\0\0\0\1" + kind + os.urandom(size - 14))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(500):
    udp.sendto(b"x" * random.randint(0, 1400), ("$right_inet", 9))
END
in_right /usr/bin/python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(100): s.sendto(b'x', ('$left_inet', 9))"

same_as_wire() {
    [ $(($(sum_of ingress packets) - base_packets)) = \
        $(($(wire packets) - before_packets)) ]
}
wait_for 5 same_as_wire || fail "$(($(sum_of ingress packets) - base_packets)) packets are \
counted, $(($(wire packets) - before_packets)) came in"
bytes=$(($(sum_of ingress bytes) - base_bytes))
sent=$(($(wire bytes) - before_bytes))
[ $bytes = $sent ] || fail "$bytes bytes are counted, $sent came in"
out=$(($(sum_of egress packets) - base_out))
sent=$(($(counted "$right" fw0 tx packets) - fw0_before))
[ $out = $((sent + 100)) ] || fail "$out packets are counted at egress, $sent went out and 100 \
were dropped"
[ "$(stat_of 'rule("egress", "udp-out")')" = 100 ] || fail "100 dropped at egress are not counted"
totals=$(stat_of 's["hooks"]["ingress"]["packets"] == s["hooks"]["ingress"]["pass"] + s["hooks"]["ingress"]["drop"]')
[ "$totals" = True ] || fail "pass and drop are not the hook's packets"
[ "$(stat_of 's["hooks"]["ingress"]["packets"]')" = "$(sum_of ingress packets)" ] ||
    fail "the hook's total is not the sum of its rules and reasons"

# Large segments leave fw0 in one buffer: they count as the segments that the wire sees.
segments() { in_right cat /proc/net/snmp | awk '/^Tcp: [0-9]/ { print $12 }'; }
in_left iperf3 -s -1 -D --pidfile "$work/iperf.pid" >/dev/null || fail "iperf3 server"
wait_for 5 test -s "$work/iperf.pid"
children+=("$(tr -d '\0' <"$work/iperf.pid")")
tcp_before=$(stat_of 'rule("egress", "tcp-out")') out_before=$(segments)
wait_for 5 in_left bash -c 'ss -Hltn "sport = :5201" | grep -q .' || fail "iperf3 does not listen"
in_right iperf3 -c $left_inet -n 20M >"$work/iperf" || fail "$(cat "$work/iperf")"
counted_tcp=$(($(stat_of 'rule("egress", "tcp-out")') - tcp_before))
sent_tcp=$(($(segments) - out_before))
# The two are not read at the same instant: a packet or two of the connection's end may be between.
[ $((counted_tcp - sent_tcp)) -ge -2 ] && [ $((counted_tcp - sent_tcp)) -le 2 ] || fail "$counted_tcp TCP packets are counted, $sent_tcp were sent"
[ $sent_tcp -gt 10000 ] || fail "20 MB in $sent_tcp segments: offload was not tested"
exit 0
