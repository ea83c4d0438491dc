# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For end-to-end tests: two network namespaces of their own, `left` (the peer, plain) and `right`
# (where fwctl runs, on interface fw0), a bpf file system and a pin directory of their own, and an
# end that removes all of it. `ip netns exec` would hide the bpf file system: nsenter does not.
#
#	. "$(dirname "$0")/../lib/netns.sh"
#	netns_start
set -u

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fwctl=$root/build/fwctl
left_inet=192.0.2.1 right_inet=192.0.2.2
left_inet6=2001:db8::1 right_inet6=2001:db8::2
children=()

netns_end() {
    local child
    for child in "${children[@]}"; do
        kill "$child" 2>/dev/null
    done
    [ -n "${left:-}" ] || return
    ip netns del "$left" 2>/dev/null
    ip netns del "$right" 2>/dev/null
    umount "$work/bpf" 2>/dev/null
    rm -rf "$work"
}

netns_start() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    [ -x "$fwctl" ] || fail "$fwctl is not built"
    work=$(mktemp -d)
    left=fwl-$$ right=fwr-$$
    pins=$work/bpf/fwctl
    trap netns_end EXIT
    trap 'exit 1' INT TERM
    mkdir "$work/bpf"
    mount -t bpf bpf "$work/bpf" || fail "cannot mount a bpf file system"
    ip netns add "$left" && ip netns add "$right" || fail "cannot make network namespaces"
    ip -n "$left" link add peer0 type veth peer name fw0 netns "$right" || fail "cannot make a veth"
    link_start "$left" peer0 $left_inet/24 $left_inet6/64
    link_start "$right" fw0 $right_inet/24 $right_inet6/64
    # Neighbours are fixed, so that rules that drop everything do not make tests wait for ARP.
    neighbours "$left" peer0 $right_inet $right_inet6 "$(mac "$right" fw0)"
    neighbours "$right" fw0 $left_inet $left_inet6 "$(mac "$left" peer0)"
}

link_start() { # NAMESPACE LINK INET INET6
    ip netns exec "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf."$2".accept_dad=0 \
        net.ipv6.conf."$2".router_solicitations=0 net.ipv6.conf."$2".mldv2_unsolicited_report_interval=0
    ip -n "$1" link set lo up
    ip -n "$1" addr add "$3" dev "$2"
    ip -n "$1" addr add "$4" dev "$2" nodad
    ip -n "$1" link set "$2" up
}

mac() { # NAMESPACE LINK
    ip -n "$1" -o link show dev "$2" | sed 's/.*link\/ether \([0-9a-f:]*\).*/\1/'
}

neighbours() { # NAMESPACE LINK INET INET6 MAC
    ip -n "$1" neigh replace "$3" lladdr "$5" nud permanent dev "$2"
    ip -n "$1" neigh replace "$4" lladdr "$5" nud permanent dev "$2"
}

in_left() { nsenter --net="/run/netns/$left" "$@"; }
in_right() { nsenter --net="/run/netns/$right" "$@"; }

# Starts a command there that goes on by itself, until netns_end. Its id is $started.
start_left() { start_in "$left" "$@"; }
start_right() { start_in "$right" "$@"; }
start_in() { # NAMESPACE COMMAND...: a simple command, so that the id is the command's own
    nsenter --net="/run/netns/$1" "${@:2}" &
    started=$!
    children+=("$started")
}

# fwctl in the namespace of fw0, on the test's own pins.
fw() { in_right "$fwctl" --pin-dir "$pins" "$@"; }

# A number of `fwctl stats --json`, by a jq-like python expression on `s`.
stat_of() { # EXPRESSION
    fw stats --json | /usr/bin/python3 -c "import json, sys
s = json.load(sys.stdin)
def rule(hook, label): return sum(r['packets'] for r in s['rules'] if r['hook'] == hook and r['label'] == label)
def reasons(hook): return sum(r['packets'] for r in s['reasons'] if r['hook'] == hook)
print($1)"
}

# The id of a program's first map: first_map PROGRAM
first_map() {
    bpftool -j prog show id "$1" | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)['map_ids'][0])"
}

# What a program of tests/e2e/other.bpf.c has counted: seen_by_other ID
seen_by_other() {
    bpftool -j map dump id "$(first_map "$1")" | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)[0]['formatted']['value'])"
}

# Waits until a command succeeds: wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# What the kernel counted on an interface: counted NAMESPACE LINK rx|tx packets|bytes
counted() {
    ip -n "$1" -s -j link show dev "$2" | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)[0]['stats64']['$3']['$4'])"
}
