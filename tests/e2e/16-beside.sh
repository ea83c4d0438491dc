#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Behind libxdp's dispatcher, with the XDP program of somebody else on the same interface: both see
# the packets, ours decides, each comes and goes without the other. And egress is where this kernel
# can have it: TCX from 6.6 on, a clsact qdisc before.
# vm: yes
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
other=$root/build/tests/e2e/other.bpf.o

cat >"$work/fw.conf" <<'END'
interface fw0 mode native
ingress default pass {
    drop udp to port 9  label discard
}
egress default pass {
    drop udp to port 9  label discard-out
}
END
send() { # COUNT: datagrams that ours drops, and as many pings that it passes
    in_left bash -c "for ((i = 0; i < $1; i++)); do echo x >/dev/udp/$right_inet/9; done"
    in_left ping -q -c "$1" -i 0.01 -W 5 $right_inet >/dev/null || fail "ping does not pass"
}
discarded() { stat_of 'rule("ingress", "discard")'; }
others() { # ids of the other's program, by name
    bpftool -j prog show | /usr/bin/python3 -c "import json, sys
print(*[p['id'] for p in json.load(sys.stdin) if p.get('name') == '$1'])"
}
mode_of() { # HOOK
    fw status --json | /usr/bin/python3 -c "import json, sys
print(*[i['mode'] for i in json.load(sys.stdin)['attachments'] if i['hook'] == '$1'])"
}

fw -q apply "$work/fw.conf" || fail "apply"

# Egress: what this kernel has, and no other.
IFS=.- read -r major minor _ <<<"$(uname -r)"
expected=clsact
[ $((major * 1000 + minor)) -lt 6006 ] || expected=tcx
[ "$(mode_of egress)" = $expected ] || fail "egress is $(mode_of egress) on $(uname -r)"
in_right bash -c "for i in {1..3}; do echo x >/dev/udp/$left_inet/9; done"
[ "$(stat_of 'rule("egress", "discard-out")')" = 3 ] || fail "egress does not filter"

command -v xdp-loader >/dev/null || skip "there is no xdp-loader (package xdp-tools)"
before=$(others other)
if ! in_right xdp-loader load -m native -s xdp fw0 "$other" >"$work/out" 2>&1; then
    # A kernel may have no BPF_PROG_TYPE_EXT; then there is no dispatcher, and ours says alone.
    bpftool -j feature probe kernel 2>/dev/null | grep -q '"have_ext_prog_type":true' &&
        fail "another program does not fit: $(cat "$work/out")"
    skip "this kernel has no BPF_PROG_TYPE_EXT: libxdp's dispatcher cannot be had"
fi
theirs=$(comm -13 <(tr ' ' '\n' <<<"$before" | sort) <(tr ' ' '\n' <<<"$(others other)" | sort))
[ -n "$theirs" ] || fail "the other program is not there: $(in_right xdp-loader status fw0)"

base=$(discarded) base_theirs=$(seen_by_other "$theirs")
send 5
[ "$(discarded)" = $((base + 5)) ] || fail "ours does not filter beside the other program"
# Ours has an earlier place: what it drops the other does not see.
[ $(($(seen_by_other "$theirs") - base_theirs)) -ge 5 ] || fail "the other program does not run"

# Rules change beside it, and it stays.
fw -q add --at 1 ingress pass icmp label ping || fail "add beside the other program"
base=$(stat_of 'rule("ingress", "ping")') base_theirs=$(seen_by_other "$theirs")
send 2
[ "$(stat_of 'rule("ingress", "ping")')" = $((base + 2)) ] || fail "the new rule does not count"
[ $(($(seen_by_other "$theirs") - base_theirs)) -ge 2 ] || fail "add took the other program off"

# Down takes only ours.
fw -q down || fail "down"
base_theirs=$(seen_by_other "$theirs")
send 3
[ $(($(seen_by_other "$theirs") - base_theirs)) -ge 6 ] || fail "down took the other program along"

# The other was first: ours comes, and stays when the other goes.
fw -q apply "$work/fw.conf" || fail "apply where another program is"
base=$(discarded)
send 4
[ "$(discarded)" = $((base + 4)) ] || fail "ours does not filter when it comes second"
in_right xdp-loader unload fw0 --id "$theirs" >"$work/out" 2>&1 ||
    fail "the other program does not go: $(cat "$work/out")"
send 4
[ "$(discarded)" = $((base + 8)) ] || fail "ours went with the other program"
fw -q down || fail "down at the end"
in_right ip -d link show dev fw0 | grep -q xdp && fail "XDP is still attached"

# An interface goes with its dispatcher: libxdp's pins of it go at the next change, or with `down`.
dispatchers() { # IFINDEX: how many libxdp pins for it
    find /sys/fs/bpf/xdp -maxdepth 1 -name "dispatch-$1-*" | wc -l
}
come() { # NAME: an interface of that name, filtered; its number is in $index
    ip -n "$right" link add "$1" type veth peer name "peer-$1"
    index=$(ip -n "$right" -o link show dev "$1" | cut -d: -f1)
    known=$(dispatchers "$index")
    fw -q apply "$work/all.conf" || fail "apply with $1"
    [ "$(dispatchers "$index")" = $((known + 1)) ] || fail "$1 has no dispatcher"
}
sed 's/interface fw0.*/interface "fw*"/' "$work/fw.conf" >"$work/all.conf"
come fw1
ip -n "$right" link del fw1
fw -q add --at 1 ingress pass icmp label ping || fail "add after an interface went"
[ "$(dispatchers "$index")" = "$known" ] || fail "add leaves pins of libxdp for an interface that went"
send 2
come fw1
ip -n "$right" link del fw1
fw -q down || fail "down after an interface went"
[ "$(dispatchers "$index")" = "$known" ] || fail "down leaves pins of libxdp for an interface that went"

# One that moves to another namespace is filtered there until `down`.
come fw2
ip -n "$right" link set fw2 netns "$left"
fw -q add --at 1 ingress pass icmp label ping || fail "add after an interface moved"
ip -n "$left" -d link show dev fw2 | grep -q 'prog/xdp' || fail "a moved interface lost its program"
[ "$(dispatchers "$index")" = $((known + 1)) ] || fail "a moved interface lost its dispatcher"
exit 0
