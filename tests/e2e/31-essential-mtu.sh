#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A path with a small MTU in its middle: TCP gets through blocks that drop by default only if the
# router's "fragmentation needed" and "packet too big" do, which built-in rules let pass.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

# fw0 (right) --1500-- left, a router --1300--> far. Only the router knows of the 1300.
far=fwf-$$
ip netns add $far || fail "cannot make a network namespace"
trap 'ip netns del $far; netns_end' EXIT
ip -n "$left" link add mid0 type veth peer name far0 netns $far || fail "cannot make a veth"
link_start "$left" mid0 198.51.100.1/24 2001:db8:1::1/64
link_start $far far0 198.51.100.2/24 2001:db8:1::2/64
ip -n "$left" link set mid0 mtu 1300
in_left sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n $far route add default via 198.51.100.1
ip -n $far route add default via 2001:db8:1::1
ip -n "$right" route add default via $left_inet
ip -n "$right" route add default via $left_inet6
in_right sysctl -qw net.ipv4.tcp_mtu_probing=0

cat >"$work/server.py" <<'END'
import socket, sys
listener = socket.create_server(("::", 9000), family=socket.AF_INET6, dualstack_ipv6=True)
open(sys.argv[1], "w").close()
while True:
    peer, _ = listener.accept()
    peer.settimeout(3)
    got = 0
    try:
        while got < 200000 and (data := peer.recv(65536)):
            got += len(data)
        if got == 200000:
            peer.sendall(b"all")
    except OSError:
        pass
    peer.close()
END
start_in $far /usr/bin/python3 "$work/server.py" "$work/ready"
wait_for 30 test -e "$work/ready" || fail "the server does not start"

transfer() { # ADDRESS
    in_right /usr/bin/python3 -c "import socket
s = socket.create_connection(('$1', 9000), 3)
s.settimeout(3)
s.sendall(b'x' * 200000)
assert s.recv(3) == b'all'" 2>"$work/transfer"
}

strict() { # on|off: neighbours are permanent and TCP passes, so all that can lack is the MTU
    cat >"$work/fw.conf" <<END
option essential $1
interface fw0
ingress default drop {
    pass tcp
}
egress default drop {
    pass tcp
}
END
    fw -q apply "$work/fw.conf" || fail "apply with essential $1"
}

for address in 198.51.100.2 2001:db8:1::2; do
    strict off
    transfer $address && fail "TCP to $address works without built-in rules: the test sees nothing"
    strict on
    transfer $address || fail "TCP to $address stalls: $(cat "$work/transfer"; fw stats)"
    in_right ip route get $address | grep -q 'mtu 1300' || fail "the MTU to $address is not learnt"
done
[ "$(stat_of "rule('ingress', 'builtin:pmtu')")" -ge 1 ] || fail "not counted: $(fw stats)"
[ "$(stat_of "rule('ingress', 'builtin:pmtu6')")" -ge 1 ] || fail "not counted: $(fw stats)"
exit 0
