#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A pattern attaches as interfaces appear: `fwctl watch` follows interfaces that come, go, and are
# renamed, and leaves what runs alone otherwise.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface "fw*"
ingress default pass {
    drop on fw1 udp to port 9       label second
    drop on "fw*" udp to port 9     label pattern
}
END

attached() { # LINK...: just these, at ingress
    [ "$(fw status --json | /usr/bin/python3 -c "import json, sys
print(*sorted(a['interface'] for a in json.load(sys.stdin)['attachments']))")" = "$*" ]
}
generation() { fw stats --json | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)['generation'])"; }

# Nothing runs yet: it waits, and does not make anything.
start_right "$fwctl" --pin-dir "$pins" watch
watch=$started
sleep 0.3
kill -0 "$watch" || fail "watch ended where nothing runs"
[ ! -e "$pins" ] || fail "watch made pins"

fw -q apply "$work/fw.conf" || fail "apply"
attached fw0 || fail "after apply: $(fw status)"

ip -n "$left" link add peer1 type veth peer name fw1 netns "$right" || fail "a second veth"
wait_for 10 attached fw0 fw1 || fail "an interface that appears is not attached: $(fw status)"
link_start "$left" peer1 198.51.100.1/24 2001:db8:1::1/64
link_start "$right" fw1 198.51.100.2/24 2001:db8:1::2/64
neighbours "$left" peer1 198.51.100.2 2001:db8:1::2 "$(mac "$right" fw1)"
for _ in 1 2 3; do
    in_left bash -c "echo x >/dev/udp/198.51.100.2/9; echo x >/dev/udp/$right_inet/9"
done
[ "$(stat_of 'rule("ingress", "second")')" = 3 ] || fail "\`on fw1\` does not know the new interface"
[ "$(stat_of 'rule("ingress", "pattern")')" = 3 ] || fail "the first interface is not filtered as before"

# A link that no rule names, and one that goes up or down, change nothing.
number=$(generation)
ip -n "$right" link add other0 type veth peer name other1
ip -n "$right" link set fw1 down
ip -n "$right" link set fw1 up
sleep 1
[ "$(generation)" = "$number" ] || fail "switched for links that do not matter"

# A name that is not meant any more is let go; one that is meant again comes back.
ip -n "$right" link set fw1 down
ip -n "$right" link set fw1 name let-go
wait_for 10 attached fw0 || fail "a renamed interface is still filtered: $(fw status)"
ip -n "$right" link set let-go name fw2
wait_for 10 attached fw0 fw2 || fail "a renamed interface is not filtered: $(fw status)"
ip -n "$right" link del fw2
wait_for 10 attached fw0 || fail "a deleted interface is still there: $(fw status)"
fw status >/dev/null || fail "status: $(fw status)"

kill -0 "$watch" || fail "watch ended by itself"
kill -TERM "$watch"
wait "$watch" || fail "watch ended with $?"
children=()
attached fw0 || fail "the rules ended with watch"
