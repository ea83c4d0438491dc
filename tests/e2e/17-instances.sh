#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Two instances of fwctl, with pins of their own, filter on one interface without TCX: neither takes
# the other's filter for its own.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
export FWCTL_TC=clsact

first() { fw "$@"; }
second() { in_right "$fwctl" --pin-dir "$work/bpf/second" "$@"; }
filters() { in_right tc filter show dev fw0 egress 2>/dev/null | grep -c 'direct-action'; }
expect() { # COUNT WHAT
    [ "$(filters)" = "$1" ] || fail "$2: $(filters) filters, not $1"
}
printf 'interface fw0\negress default pass {\n    drop udp to port 9  label a\n}\n' >"$work/a.conf"
printf 'interface fw0\negress default pass {\n    drop udp to port 10  label b\n}\n' >"$work/b.conf"
printf 'interface lo\ningress default pass {\n}\n' >"$work/lo.conf"
printf 'interface nope\negress default pass {\n}\n' >"$work/bad.conf"

first -q apply "$work/a.conf" || fail "apply"
expect 1 "after the first apply"

# What ends without having attached anything takes nothing away.
second -q down || fail "down of the second, which has nothing"
expect 1 "after down of an instance that has nothing"
second apply "$work/bad.conf" 2>/dev/null && fail "an interface that is not there was taken"
expect 1 "after a failed apply of another instance"
second -q apply "$work/lo.conf" || fail "the second, elsewhere"
second -q down || fail "down of the second, elsewhere"
expect 1 "after down of an instance that is elsewhere"

# Beside each other: both filter.
second -q apply "$work/b.conf" || fail "the second, on the same interface"
expect 2 "after the second's apply"
in_right bash -c "for i in {1..3}; do echo x >/dev/udp/$left_inet/9; echo x >/dev/udp/$left_inet/10; done"
[ "$(stat_of 'rule("egress", "a")')" = 3 ] || fail "the first does not filter"
pins=$work/bpf/second
[ "$(stat_of 'rule("egress", "b")')" = 3 ] || fail "the second does not filter"
pins=$work/bpf/fwctl
first status >/dev/null || fail "the first's status: $(first status)"
second status >/dev/null || fail "the second's status: $(second status)"
first -q apply "$work/a.conf" || fail "the first again"
expect 2 "after the first's second apply"
first -q down || fail "down of the first"
expect 1 "after down of the first"
second status >/dev/null || fail "the second's status after down of the first: $(second status)"
second -q down || fail "down of the second"
expect 0 "after down of both"
exit 0
