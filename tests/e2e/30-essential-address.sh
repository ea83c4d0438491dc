#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a host needs to live comes through blocks that drop by default and have no rule of their own:
# an address by DHCP, DHCPv6 and router advertisement, and neighbours from cold. Each fails without
# the built-in rules, so that it is they who let it pass.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
for program in dhclient dnsmasq; do
    PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null || fail "there is no $program: make deps"
done
netns_start

strict() { # on|off
    cat >"$work/fw.conf" <<END
option essential $1
interface fw0
ingress default drop {
}
egress default drop {
}
END
    fw -q apply "$work/fw.conf" || fail "apply with essential $1"
}

builtin() { # HOOK NAME: how many packets a built-in rule counted
    stat_of "rule('$1', 'builtin:$2')"
}

# The host forgets what it knows of the network: addresses and neighbours.
forget() {
    ip -n "$right" link set fw0 down
    ip -n "$right" addr flush dev fw0
    ip -n "$left" neigh flush dev peer0 nud all
    ip -n "$left" neigh flush dev peer0 nud permanent
    ip -n "$right" neigh flush dev fw0 nud all
    ip -n "$right" neigh flush dev fw0 nud permanent
    ip -n "$right" link set fw0 up
}

# A server for everything that gives addresses. Renewing comes soon, so that it is seen too.
start_left dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --pid-file= \
    --interface=peer0 --bind-interfaces --dhcp-leasefile="$work/leases" --dhcp-authoritative \
    --no-ping --enable-ra --ra-param=peer0,4,60 --log-facility="$work/dnsmasq.log" \
    --dhcp-range=192.0.2.100,192.0.2.110,2m \
    --dhcp-range=2001:db8::100,2001:db8::110,slaac,64,2m

cat >"$work/dhclient.conf" <<'END'
timeout 8;
initial-interval 1;
backoff-cutoff 1;
select-timeout 0;
supersede dhcp-renewal-time 2;
END
(
    cat "$work/dhclient.conf"
    echo "bootp-broadcast-always;"
) >"$work/broadcast.conf"
cat >"$work/script" <<END
#!/bin/sh
echo "\$reason \$new_ip_address\$new_ip6_address" >>"$work/events"
case \$reason in
BOUND | RENEW) ip addr replace "\$new_ip_address/24" dev "\$interface" ;;
esac
exit 0
END
chmod +x "$work/script"

happened() { grep -q "$1" "$work/events"; }

# Runs a DHCP client until it has an address and, if told so, until it has renewed it.
lease() { # EXPECTED-EVENT SECONDS dhclient's options...
    local event=$1 seconds=$2 result=0
    shift 2
    : >"$work/events"
    rm -f "$work/client.leases"
    start_right dhclient -d -q -cf "$work/dhclient.conf" -sf "$work/script" \
        -lf "$work/client.leases" -pf "$work/dhclient.pid" "$@" fw0 2>>"$work/dhclient.log"
    wait_for "$seconds" happened "$event" || result=1
    kill "$started" 2>/dev/null
    wait "$started" 2>/dev/null
    return $result
}

link_local_ready() {
    ip -n "$right" -6 addr show dev fw0 scope link | grep -q inet6 &&
        ! ip -n "$right" -6 addr show dev fw0 tentative | grep -q inet6
}

strict off
forget
lease BOUND 3 -4 && fail "DHCP works without built-in rules: $(cat "$work/events")"
strict on
forget
lease RENEW 12 -4 || fail "no DHCP lease, or not renewed: $(cat "$work/events" "$work/dhclient.log") $(fw stats)"
[ "$(builtin ingress dhcp)" -ge 3 ] || fail "DHCP is not counted at ingress: $(fw stats)"
[ "$(builtin egress dhcp)" -ge 3 ] || fail "DHCP is not counted at egress: $(fw stats)"
ip -n "$right" -4 addr show dev fw0 | grep -q '192\.0\.2\.1[01][0-9]/24' || fail "no address by DHCP"
forget
lease BOUND 8 -4 -cf "$work/broadcast.conf" || fail "no DHCP lease by broadcast: $(cat "$work/dhclient.log") $(fw stats)"

strict off
forget
wait_for 5 link_local_ready || fail "no link-local address"
lease BOUND6 3 -6 && fail "DHCPv6 works without built-in rules: $(cat "$work/events")"
strict on
forget
wait_for 5 link_local_ready || fail "no link-local address"
lease BOUND6 10 -6 || fail "no DHCPv6 lease: $(cat "$work/events" "$work/dhclient.log") $(fw stats)"
grep -q 'BOUND6 2001:db8::1' "$work/events" || fail "another address: $(cat "$work/events")"
[ "$(builtin ingress dhcp6)" -ge 2 ] || fail "DHCPv6 is not counted at ingress: $(fw stats)"
[ "$(builtin egress dhcp6)" -ge 2 ] || fail "DHCPv6 is not counted at egress: $(fw stats)"

# Autoconfiguration as a host does it: it asks for a router and looks whether its address is taken.
in_right sysctl -qw net.ipv6.conf.fw0.accept_ra=1 net.ipv6.conf.fw0.router_solicitations=3 \
    net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.fw0.accept_dad=1 \
    net.ipv6.conf.fw0.router_solicitation_delay=0
configured() {
    ip -n "$right" -6 addr show dev fw0 scope global -tentative | grep -q 'inet6 2001:db8::.*dynamic' &&
        ip -n "$right" -6 route show default | grep -q 'proto ra'
}
strict off
forget
wait_for 3 configured && fail "autoconfiguration works without built-in rules"
strict on
forget
wait_for 10 configured || fail "no autoconfiguration: $(ip -n "$right" -6 addr; fw stats)"
[ "$(builtin egress mld)" -ge 1 ] || fail "no group is reported: $(fw stats)"

# A switch that looks into groups forgets who does not answer its queries.
reports=$(builtin egress mld)
in_left /usr/bin/python3 - >"$work/query" 2>&1 <<'END' || fail "no query is sent: $(cat "$work/query")"
from scapy.layers.inet6 import ICMPv6MLQuery2, IPv6, IPv6ExtHdrHopByHop, RouterAlert
from scapy.layers.l2 import Ether
from scapy.sendrecv import sendp
sendp(Ether(dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1", hlim=1) /
      IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery2(mrd=100), iface="peer0")
END
[ "$(builtin ingress mld)" = 1 ] || fail "a query for groups is dropped: $(fw stats)"
answered() { [ "$(builtin egress mld)" -gt "$reports" ]; }
wait_for 5 answered || fail "a query for groups is not answered: $(fw stats)"

# Neighbours. What makes the hosts look for each other is dropped itself, which is no matter.
in_right sysctl -qw net.ipv6.conf.fw0.accept_ra=0
known() { # NAMESPACE LINK ADDRESS
    ip -n "$1" neigh show to "$3" dev "$2" | grep -q 'lladdr'
}
look() { # each for the other
    forget
    ip -n "$right" addr add $right_inet/24 dev fw0
    ip -n "$right" addr add $right_inet6/64 dev fw0 nodad
    in_right ping -c 1 -W 1 $left_inet >/dev/null 2>&1 &
    local pings=($!)
    in_right ping -c 1 -W 1 $left_inet6 >/dev/null 2>&1 &
    pings+=($!)
    in_left ping -c 1 -W 1 $right_inet >/dev/null 2>&1 &
    pings+=($!)
    in_left ping -c 1 -W 1 $right_inet6 >/dev/null 2>&1 &
    pings+=($!)
    wait "${pings[@]}"
}
strict off
look
for address in $left_inet $left_inet6; do
    known "$right" fw0 "$address" && fail "$address is found without built-in rules"
done
for address in $right_inet $right_inet6; do
    known "$left" peer0 "$address" && fail "$address is found without built-in rules"
done
strict on
look
for address in $left_inet $left_inet6; do
    known "$right" fw0 "$address" || fail "$address is not found: $(fw stats)"
done
for address in $right_inet $right_inet6; do
    known "$left" peer0 "$address" || fail "$address is not found: $(fw stats)"
done
exit 0
