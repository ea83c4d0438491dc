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

# A queue counts what passes it, segments one by one. That of fw0 lies behind our egress hook.
in_left tc qdisc add dev peer0 root pfifo limit 100000 || fail "no counter on the peer"
in_right tc qdisc add dev fw0 root pfifo limit 100000 || fail "no counter on fw0"
queued() { # left|right LINK packets|bytes
    "in_$1" tc -s -j qdisc show dev "$2" | /usr/bin/python3 -c "import json, sys
print(sum(q['$3'] for q in json.load(sys.stdin) if q['kind'] == 'pfifo'))"
}
wire() { queued left peer0 "$1"; } # packets|bytes

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
in_left iperf3 -s -1 -D --pidfile "$work/iperf.pid" >/dev/null || fail "iperf3 server"
wait_for 5 test -s "$work/iperf.pid"
children+=("$(tr -d '\0' <"$work/iperf.pid")")
passed() { echo $(($(sum_of egress packets) - $(stat_of 'rule("egress", "udp-out")'))); }
passed_before=$(passed) out_before=$(queued right fw0 packets)
wait_for 5 in_left bash -c 'ss -Hltn "sport = :5201" | grep -q .' || fail "iperf3 does not listen"
in_right iperf3 -c $left_inet -n 20M >"$work/iperf" || fail "$(cat "$work/iperf")"
sent_tcp() { echo $(($(queued right fw0 packets) - out_before)); }
same_as_sent() { [ $(($(passed) - passed_before)) = "$(sent_tcp)" ]; }
# The two are not read at the same instant: until the connection has ended they may differ.
wait_for 5 same_as_sent || fail "$(($(passed) - passed_before)) packets are counted, $(sent_tcp) were sent"
[ "$(sent_tcp)" -gt 10000 ] || fail "20 MB in $(sent_tcp) segments: offload was not tested"
exit 0
