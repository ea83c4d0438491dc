#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Attaching in each mode, beside others' programs, and taking off again without a trace.
# vm: yes
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
other=$root/build/tests/e2e/other.bpf.o

rules() { # MODE
    cat <<END
interface fw0 mode $1
ingress default pass {
    drop udp to port 9  label discard
}
egress default pass {
    drop udp to port 9  label discard-out
}
END
}

mode_of() { # HOOK
    fw status --json | /usr/bin/python3 -c "import json, sys
print(*[i['mode'] for i in json.load(sys.stdin)['attachments'] if i['hook'] == '$1'])"
}

send_both_ways() {
    in_left bash -c "for i in {1..10}; do echo x >/dev/udp/$right_inet/9; done"
    in_right bash -c "for i in {1..10}; do echo x >/dev/udp/$left_inet/9; done"
}

assert_filters() {
    local before_in before_out
    before_in=$(stat_of 'rule("ingress", "discard")')
    before_out=$(stat_of 'rule("egress", "discard-out")')
    send_both_ways
    [ "$(stat_of 'rule("ingress", "discard")')" = $((before_in + 10)) ] || fail "$1: ingress"
    [ "$(stat_of 'rule("egress", "discard-out")')" = $((before_out + 10)) ] || fail "$1: egress"
}

assert_nothing_left() {
    fw down || fail "$1: down"
    in_right ip -d link show dev fw0 | grep -q xdp && fail "$1: XDP is still attached"
    find "$work/bpf" -mindepth 1 ! -name '*.debug' | grep . && fail "$1: pins are left"
    return 0
}

for mode in ${MODES:-native generic auto}; do
    rules $mode >"$work/fw.conf"
    fw apply "$work/fw.conf" || fail "apply in mode $mode"
    [ "$mode" = auto ] || [ "$(mode_of ingress)" = $mode ] || fail "mode is not $mode: $(mode_of ingress)"
    assert_filters "$mode"
    assert_nothing_left "$mode"
done

# The mode changes while it is attached.
rules native >"$work/fw.conf" && fw apply "$work/fw.conf" || fail "native"
rules generic >"$work/fw.conf" && fw apply "$work/fw.conf" || fail "native to generic"
[ "$(mode_of ingress)" = generic ] || fail "the mode does not change"
assert_filters "native to generic"
assert_nothing_left "native to generic"

# Without TCX, on a qdisc of ours: it goes with us.
rules auto >"$work/fw.conf"
export FWCTL_TC=clsact
fw apply "$work/fw.conf" || fail "apply with clsact"
[ "$(mode_of egress)" = clsact ] || fail "mode is not clsact: $(mode_of egress)"
assert_filters clsact
assert_nothing_left clsact
in_right tc qdisc show dev fw0 | grep -q clsact && fail "our clsact qdisc is left"

# On a qdisc of others, beside their filter: both stay, and theirs still runs behind ours.
in_right tc qdisc add dev fw0 clsact
in_right tc filter add dev fw0 egress prio 9 bpf da object-file "$other" section tc ||
    fail "the other filter"
fw apply "$work/fw.conf" || fail "apply beside another filter"
assert_filters "beside another filter"
in_right ping -c 1 -W 1 $left_inet >/dev/null || fail "ping beside another filter"
program=$(in_right tc -j filter show dev fw0 egress prio 9 | /usr/bin/python3 -c "import json, sys
print(*[f['options']['prog']['id'] for f in json.load(sys.stdin) if 'options' in f])")
[ "$(seen_by_other "$program")" -ge 1 ] || fail "the other filter does not run behind ours"
assert_nothing_left "beside another filter"
in_right tc filter show dev fw0 egress | grep -q other || fail "the other's filter is gone"
in_right tc qdisc del dev fw0 clsact
unset FWCTL_TC

# Another XDP program that leaves no room: told in one line, nothing half done.
in_right ip link set dev fw0 xdpdrv object "$other" section xdp || fail "the other program"
fw apply "$work/fw.conf" >"$work/output" 2>&1 && fail "apply over another XDP program"
grep -q "another XDP program" "$work/output" || fail "unclear: $(cat "$work/output")"
in_right ip -d link show dev fw0 | grep -q xdp || fail "the other's program is gone"
in_right ip link set dev fw0 xdpdrv off
fw down >/dev/null 2>&1
exit 0
