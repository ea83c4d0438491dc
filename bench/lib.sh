# shellcheck shell=bash disable=SC2034 # names are shared with the scripts
# SPDX-License-Identifier: GPL-2.0-only
#
# For benchmarks with real packets: the sender sits in namespace `left` of tests/lib/netns.sh; each
# filter gets a namespace of its own, so that all stand side by side and take turns. What comes
# through a filter ends in a blackhole route. All of it goes when the script ends.
#
#	. "$(dirname "$0")/lib.sh"
#	bench_start
# shellcheck source=tests/lib/netns.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/netns.sh"

fwbench=$root/build/fwbench
plain=$root/build/bench/plain.bpf.o
setups=()  # names of all that were made; their veth in `left` has the same name
standing=() # of those, what is measured

bench_start() {
    [ -x "$fwbench" ] || fail "$fwbench is not built"
    netns_start
    trap bench_end EXIT
    in_left sysctl -qw net.ipv6.conf.default.disable_ipv6=1 # no frames but ours
}

bench_end() {
    local setup
    for setup in "${setups[@]}"; do
        ip netns del "$(space "$setup")" 2>/dev/null
    done
    netns_end
}

note() { printf '%s\n' "$*" >&2; }

space() { echo "fwb-$1-$$"; }
in_setup() { nsenter --net="/run/netns/$(space "$1")" "${@:2}"; } # NAME COMMAND...
fw_setup() { in_setup "$1" "$fwctl" --pin-dir "$work/bpf/$1" "${@:2}"; }

# A namespace with fw0, reached by veth NAME of `left`, and out0 to send out of: its peer is down,
# so that what gets there ends at once.
setup_make() { # NAME
    local name=$1 in
    in=$(space "$name")
    setups+=("$name")
    ip netns add "$in" || fail "cannot make a namespace"
    ip -n "$left" link add "$name" type veth peer name fw0 netns "$in" || fail "cannot make a veth"
    ip -n "$in" link set fw0 address 02:00:00:00:00:02
    ip -n "$in" link add out0 index 77 type veth peer name out1
    in_setup "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.fw0.rp_filter=0
    ip -n "$left" link set "$name" up
    ip -n "$in" link set lo up
    ip -n "$in" link set out0 up
    ip -n "$in" link set fw0 up
    ip -n "$in" route add blackhole 198.18.0.0/15
    # Nothing but what is measured: neither GRO (dear for whoever takes packets) nor discovery.
    in_setup "$name" ethtool -K fw0 gro off 2>/dev/null
}

setup_drop() { # NAME...
    local name
    for name in "$@"; do
        ip netns del "$(space "$name")"
    done
    setups=() standing=()
}

# What takes frames from the sender where the filter is no XDP program itself.
xdp_plain() { # NAME PROGRAM
    ip -n "$(space "$1")" link set fw0 xdp object "$plain" program "$2"
}

# Sends what came in out again through out0, where filters of egress stand. By nft: what TC
# redirects from ingress does not meet nft's own egress hook.
redirect_out() { # NAME
    xdp_plain "$1" xdp_pass
    in_setup "$1" nft 'table netdev out { chain c { type filter hook ingress device fw0 priority 0; fwd to out0; }; }'
}

flood() { nsenter --net="/run/netns/$left" "$fwbench" flood "$@"; } # [--packets N] SENDERS NAME...

# How many packets came through the filters of fw0, of the first PACKETS of SENDERS.
passed_in() { # NAME SENDERS PACKETS
    in_setup "$1" nft 'table ip seen { chain c { type filter hook prerouting priority 300; counter; }; }'
    flood --turns 1 --packets "$3" "$2" "$1" >/dev/null || return
    in_setup "$1" nft list table ip seen | sed -n 's/.*packets \([0-9]*\).*/\1/p'
    in_setup "$1" nft delete table ip seen
}
