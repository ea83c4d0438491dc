#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Two interfaces change names: what `on` means is compiled in, so status says that it is wrong until
# the rules are switched in again.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
printf 'interface fw0, fw1\ningress default pass {\n    drop on fw0 label x\n}\n' >"$work/fw.conf"
ip -n "$right" link add fw1 type veth peer name pfw1
ip -n "$right" link set fw1 up
fw -q apply "$work/fw.conf" || fail "apply"
fw status >/dev/null || fail "status: $(fw status)"
ip -n "$right" link set fw0 down
ip -n "$right" link set fw1 down
ip -n "$right" link set fw0 name t0
ip -n "$right" link set fw1 name fw0
ip -n "$right" link set t0 name fw1
ip -n "$right" link set fw0 up
ip -n "$right" link set fw1 up
fw status >"$work/status" && fail "all is said to be well: $(cat "$work/status")"
grep -q "another name" "$work/status" || fail "unclear: $(cat "$work/status")"
fw -q apply "$work/fw.conf" || fail "apply again"
fw status >/dev/null || fail "status after apply: $(fw status)"
exit 0
