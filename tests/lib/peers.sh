# shellcheck shell=bash disable=SC2034,SC2154 # names are shared with netns.sh and the tests
# SPDX-License-Identifier: GPL-2.0-only
#
# Peers on both sides of a gateway, for tests of state. Behind netns.sh's two namespaces stand two
# more, so that packets are forwarded and a path has a hop where it becomes narrow:
#
#	inside --- right, fw0 filtered --- left --- away (a link of 1300 bytes)
#
#	. "$(dirname "$0")/../lib/netns.sh"
#	. "$(dirname "$0")/../lib/peers.sh"
#	netns_start && peers_start
inside_inet=198.51.100.2 inside_inet6=2001:db8:b::2
away_inet=203.0.113.2 away_inet6=2001:db8:a::2

peers_end() {
    netns_end
    [ -n "${inside:-}" ] || return
    ip netns del "$inside" 2>/dev/null
    ip netns del "$away" 2>/dev/null
}

# A link from a router to a host behind it: HOST ROUTER NAME NET NET6 MTU
peer_link() {
    local host=$1 router=$2 name=$3 net=$4 net6=$5 mtu=$6
    ip netns add "$host" || fail "cannot make a network namespace"
    ip -n "$router" link add "$name" mtu "$mtu" type veth peer name eth0 netns "$host" ||
        fail "cannot make a veth"
    ip -n "$host" link set eth0 mtu "$mtu"
    link_start "$router" "$name" "$net.1/24" "$net6::1/64"
    link_start "$host" eth0 "$net.2/24" "$net6::2/64"
    ip -n "$host" route add default via "$net.1"
    ip -n "$host" -6 route add default via "$net6::1"
    neighbours "$router" "$name" "$net.2" "$net6::2" "$(mac "$host" eth0)"
    neighbours "$host" eth0 "$net.1" "$net6::1" "$(mac "$router" "$name")"
    ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
}

peers_start() {
    inside=fwi-$$ away=fwa-$$
    trap peers_end EXIT
    peer_link "$inside" "$right" in0 198.51.100 2001:db8:b 1500
    peer_link "$away" "$left" away0 203.0.113 2001:db8:a 1300
    # The hosts themselves would send 1300 bytes: they do not know of the narrow link either.
    ip -n "$away" link set eth0 mtu 1500
    ip -n "$right" route add default via $left_inet
    ip -n "$right" -6 route add default via $left_inet6
    ip -n "$left" route add 198.51.100.0/24 via $right_inet
    ip -n "$left" -6 route add 2001:db8:b::/64 via $right_inet6
}

in_inside() { nsenter --net="/run/netns/$inside" "$@"; }
in_away() { nsenter --net="/run/netns/$away" "$@"; }

# The yardstick: nft with conntrack, on what comes and goes through fw0. Chains `in` and `out` of
# the text on standard input are the two blocks. Strict as we are: no pick-up in the middle.
nft_start() {
    {
        cat <<END
table inet judge {
    chain hook_in { type filter hook prerouting priority 0; policy accept; iifname fw0 jump in; }
    chain hook_out { type filter hook postrouting priority 0; policy accept; oifname fw0 jump out; }
END
        cat
        echo "}"
    } | in_right nft -f - || fail "nft refuses the rules"
    in_right sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 2>/dev/null
}
nft_stop() { in_right nft flush ruleset; }
