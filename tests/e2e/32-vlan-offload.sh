#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A VLAN tag that hardware took out: XDP, native or generic, cannot see it, so `apply` and `status`
# say that `vlan` rules may not match. With the offload off the tag is in the frame and they match.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
PATH=$PATH:/usr/sbin command -v ethtool >/dev/null || fail "there is no ethtool: make deps"
netns_start

in_left tc qdisc add dev peer0 clsact
in_left tc filter add dev peer0 egress bpf da object-file "$root/build/tests/e2e/tag.bpf.o" section tc ||
    fail "tag"

# On a veth the sender decides whether a tag is put into the frame.
offload() { # on|off
    in_left ethtool -K peer0 txvlan "$1" >/dev/null || fail "ethtool"
    in_right ethtool -K fw0 rxvlan "$1" >/dev/null || fail "ethtool"
}

filter() { # MODE RULE: the warning, or nothing
    cat >"$work/fw.conf" <<END
interface fw0 mode $1
ingress default pass {
    drop $2 udp to port 9      label tagged
    drop udp to port 9         label untagged
}
END
    fw down 2>/dev/null
    fw apply "$work/fw.conf" 2>"$work/apply" || fail "apply: $(cat "$work/apply")"
    fw status >"$work/status" || fail "status: $(cat "$work/status")"
}

warns() { grep -q 'rx-vlan-offload' "$work/apply" && grep -q 'warning: fw0: rx-vlan-offload' "$work/status"; }
silent() { ! grep -q 'rx-vlan-offload' "$work/apply" "$work/status"; }
send() { in_left bash -c "for i in {1..7}; do echo x >/dev/udp/$right_inet/9; done"; }

for mode in native generic; do
    offload on
    filter $mode 'vlan 5'
    warns || fail "$mode: no warning: $(cat "$work/apply" "$work/status")"
    [ "$(fw status --json | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["warnings"]))')" = 1 ] ||
        fail "$mode: no warning in JSON"
    send
    [ "$(stat_of 'rule("ingress", "untagged")')" = 7 ] || fail "$mode: XDP saw the tag, the warning is wrong: $(fw stats)"

    # Nothing is said of rules that do not ask for a tag: all else is judged alike.
    filter $mode 'ttl 1-9'
    silent || fail "$mode: a warning without a rule for VLANs: $(cat "$work/apply" "$work/status")"

    offload off
    filter $mode 'vlan 5'
    silent || fail "$mode: a warning without offload: $(cat "$work/apply" "$work/status")"
    send
    [ "$(stat_of 'rule("ingress", "tagged")')" = 7 ] || fail "$mode: the tag is not seen: $(fw stats)"
done
exit 0
