#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# 1,000 switches under traffic between two rule sets of different size. Port 4000 passes under
# both and port 3000 is dropped by both, each by another rule at another place: a packet that met
# half of each set, or none, would get a verdict that neither gives.
# vm: yes
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
switches=${SWITCHES:-1000}

cat >"$work/a.conf" <<'END'
interface fw0
ingress default drop {
    pass udp to port 4000   label always
    drop udp to port 3000   label never
}
egress default pass {
}
END
{
    echo "interface fw0"
    echo "ingress default pass {"
    for i in {1..150}; do echo "    drop udp from 203.0.113.$i to port $((10000 + i))"; done
    echo "    drop udp to port 3000   label never"
    echo "    pass udp to port 4000   label always"
    echo "}"
    echo "egress default drop {"
    echo "    pass icmp"
    echo "    pass from $right_inet"
    echo "}"
} >"$work/b.conf"

arrived() { in_right cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $3 }'; } # NoPorts
fw -q apply "$work/a.conf" || fail "apply"
arrived_before=$(arrived) sent_before=$(counted "$left" peer0 tx packets)
ingress_before=$(stat_of 's["hooks"]["ingress"]["packets"]')

start_left /usr/bin/python3 -c "import socket, itertools
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in itertools.cycle((3000, 4000)): s.sendto(b'x' * 18, ('$right_inet', port))" \
    2>"$work/sender"
sender=$started

for ((i = 0; i < switches; i++)); do
    file=$work/b.conf
    [ $((i % 2)) -eq 0 ] || file=$work/a.conf
    fw -q apply "$file" || fail "switch $i"
    kill -0 $sender 2>/dev/null || fail "the sender ended: $(cat "$work/sender")"
done
kill $sender
wait $sender 2>/dev/null

settled() {
    [ $(($(stat_of 's["hooks"]["ingress"]["packets"]') - ingress_before)) = \
        $(($(counted "$left" peer0 tx packets) - sent_before)) ]
}
wait_for 10 settled || fail "not every packet was counted: \
$(($(stat_of 's["hooks"]["ingress"]["packets"]') - ingress_before)) of \
$(($(counted "$left" peer0 tx packets) - sent_before))"
[ "$(stat_of 'reasons("ingress")')" = 0 ] || fail "packets without a rule: $(fw stats)"
[ "$(stat_of 'rule("ingress", "default")')" = 0 ] || fail "packets fell through to a default"
always=$(stat_of 'rule("ingress", "always")') never=$(stat_of 'rule("ingress", "never")')
passed=$(($(arrived) - arrived_before))
[ "$passed" = "$always" ] || fail "$always packets were passed by their rule, $passed arrived"
[ "$never" -gt "$switches" ] || fail "only $never packets were dropped: too little traffic"
[ "$(find "$pins/v1" -name 'generation-*' | wc -l)" = 1 ] || fail "old generations are left"
echo "$switches switches, $always packets passed, $never dropped"
exit 0
