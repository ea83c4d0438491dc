#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl apply` is killed at every point where something in the kernel has changed. The old rules or
# the new ones work on, and the next command cleans up.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
# Each so manieth point, as each takes a load of the programs; KILL_STRIDE=1 tries all.
stride=${KILL_STRIDE:-2}

rules() { # PORT: the only one that passes
    cat <<END
interface fw0
ingress default drop {
    pass udp to port $1 label only
}
egress default pass {
    count label all-out
}
END
}
rules 1000 >"$work/old.conf"
rules 2000 | sed "s/^egress.*{/&\n    reject tcp to port 25 label refused/" >"$work/new.conf"

arrived() { in_right cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $3 }'; } # NoPorts

passes() { # PORT
    local before
    before=$(arrived)
    in_left bash -c "echo x >/dev/udp/$right_inet/$1"
    wait_for 1 eval "[ \$(arrived) -gt $before ]"
}

# "old", "new", "open" (nothing filters) or what else happens.
state() {
    local one=no two=no
    passes 1000 && one=yes
    passes 2000 && two=yes
    case $one-$two in
    yes-no) echo old ;;
    no-yes) echo new ;;
    yes-yes) echo open ;;
    *) echo shut ;;
    esac
}

killed_at() { # STEP FILE; false if it ended by itself
    FWCTL_TEST_STOP_AT=$1 fw -q apply "$2" >"$work/output" 2>&1
    local status=$?
    [ $status -eq 137 ] && return 0
    [ $status -eq 0 ] || fail "step $1: exit status $status: $(cat "$work/output")"
    return 1
}

points=0
fw -q apply "$work/old.conf" || fail "apply"
for ((step = 1; step < 100; step++)); do
    killed_at $step "$work/new.conf" || break
    points=$((points + 1))
    found=$(state)
    [ "$found" = old ] || [ "$found" = new ] || fail "replacing, step $step: $found"
    total=$(stat_of 's["hooks"]["ingress"]["packets"]') || fail "replacing, step $step: stats"
    fw -q apply "$work/old.conf" || fail "replacing, step $step: the next apply fails"
    [ "$(state)" = old ] || fail "replacing, step $step: the next apply does not help"
    [ "$(find "$pins/v1" -name 'generation-*' | wc -l)" = 1 ] || fail "step $step: leftovers"
    [ "$(stat_of 's["hooks"]["ingress"]["packets"]')" -ge "$total" ] || fail "step $step: counters shrank"
done
[ $step -gt 5 ] || fail "only $step steps when replacing"

# The first apply: nothing filters yet, or the new rules do.
for ((step = stride; step < 100; step += stride)); do
    fw -q down >/dev/null 2>&1
    find "$work/bpf" -mindepth 1 ! -name '*.debug' | grep . && fail "first, step $step: pins left"
    killed_at $step "$work/new.conf" || break
    points=$((points + 1))
    found=$(state)
    [ "$found" = open ] || [ "$found" = new ] || fail "first, step $step: $found"
    fw -q apply "$work/old.conf" || fail "first, step $step: the next apply fails"
    [ "$(state)" = old ] || fail "first, step $step: the next apply does not help"
done

# Taking everything down.
for ((step = stride; step < 100; step += stride)); do
    fw -q apply "$work/old.conf" || fail "down, step $step: apply"
    FWCTL_TEST_STOP_AT=$step fw -q down >/dev/null 2>&1
    [ $? -eq 137 ] || break
    points=$((points + 1))
    found=$(state)
    [ "$found" = open ] || [ "$found" = old ] || fail "down, step $step: $found"
    fw -q down || fail "down, step $step: the next down fails"
    find "$work/bpf" -mindepth 1 ! -name '*.debug' | grep . && fail "down, step $step: pins left"
done

[ $points -ge 20 ] || [ "$stride" -gt 1 ] || fail "only $points points"
echo "killed at $points points"
exit 0
