#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Live sets keep their slots where a file names fewer of them or in another order: the image asks
# the set that the rule names, whichever slot that is.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
heard() { in_left ping -q -c 1 -W 1 $right_inet >/dev/null 2>&1; }
rules() { # SET...: in this order. What is in "other" passes, else what is in "banned" is dropped
    printf 'interface fw0\noption ban-set banned\n'
    printf 'set %s live\n' "$@"
    printf 'ingress default drop {\n'
    [[ " $* " = *" other "* ]] && printf '    pass from @other label other\n'
    printf '    drop from @banned label banned\n    pass icmp\n}\n'
}

rules other banned >"$work/both.conf"
rules banned >"$work/one.conf"
rules banned other >"$work/turned.conf"

fw -q apply "$work/both.conf" || fail "apply"
heard || fail "not heard before the ban"
fw -q ban $left_inet || fail "ban"
for turn in {1..5}; do
    fw -q apply "$work/one.conf" || fail "apply of one, $turn"
    heard && fail "turn $turn: heard in spite of the ban, where the first set is gone"
done
fw -q add ingress count udp to port 9 label more || fail "add"
heard && fail "heard in spite of the ban, after add"

fw -q down || fail "down"
fw -q apply "$work/both.conf" || fail "apply again"
fw -q set add other $left_inet || fail "set add"
fw -q ban --force $left_inet || fail "ban again"
for turn in {1..5}; do
    fw -q apply "$work/turned.conf" || fail "apply of turned, $turn"
    heard || fail "turn $turn: what is in the first set is dropped, where their order has changed"
done
exit 0
