#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the data plane cannot do is refused by name, at its place, and the rules that run stay: a
# rule is never loaded as less than it says.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

printf 'interface fw0\ningress default pass {\n    drop udp to port 9 label kept\n}\n' >"$work/fw.conf"
fw -q apply "$work/fw.conf" || fail "apply"
while IFS=: read -r name rule; do
    printf 'interface fw0\ningress default pass {\n    %s\n}\n' "$rule" >"$work/new.conf"
    fw apply "$work/new.conf" >"$work/out" 2>"$work/err"
    status=$?
    [ $status = 2 ] || fail "$name: exit status $status: $(cat "$work/err")"
    grep -q "new.conf:3:5: error: '$name' is not supported yet" "$work/err" ||
        fail "$name is not refused by name: $(cat "$work/err")"
    fw list | grep -q 'label kept' || fail "$name: the rules do not stay"
done <<'END'
log:drop udp log
END
exit 0
