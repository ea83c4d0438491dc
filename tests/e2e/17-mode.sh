#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A mode change that the interface refuses leaves the old program in its old mode, and what is said
# about it is true.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

rules() { # LINK-AND-MODE...
    printf 'interface %s\n' "$@"
    printf 'ingress default drop {\n}\n'
}
program_on() { # LINK: native|generic and nothing else
    in_right ip -o link show dev "$1" | grep -o 'xdp[a-z]*' | sort -u | tr '\n' ' '
}

# A bridge has no native XDP.
ip -n "$right" link add br0 type bridge || skip "this kernel has no bridge"
ip -n "$right" link set br0 up
rules 'br0 mode generic' >"$work/generic.conf"
rules 'br0 mode native' >"$work/native.conf"
fw -q apply "$work/generic.conf" || fail "generic on a bridge"
[ -n "$(program_on br0)" ] || fail "nothing is on br0"
fw apply "$work/native.conf" >"$work/output" 2>&1 && fail "native on a bridge was taken"
case "$(program_on br0)" in
    *generic*) ;;
    *) fail "the old program is gone: '$(program_on br0)': $(cat "$work/output")" ;;
esac
grep -q "running again" "$work/output" || fail "it does not say what runs: $(cat "$work/output")"
fw status >"$work/status" || fail "status: $(cat "$work/status")"

# One interface changes its mode, a second refuses: the first goes back too.
rules 'fw0 mode generic' 'br0 mode generic' >"$work/generic.conf"
rules 'fw0 mode native' 'br0 mode native' >"$work/native.conf"
fw -q apply "$work/generic.conf" || fail "generic on both"
fw apply "$work/native.conf" >"$work/output" 2>&1 && fail "native on both was taken"
fw status --json | /usr/bin/python3 -c "import json, sys
modes = {a['interface']: a['mode'] for a in json.load(sys.stdin)['attachments']}
sys.exit(modes != {'fw0': 'generic', 'br0': 'generic'})" ||
    fail "not all is as before: $(fw status) $(cat "$work/output")"
exit 0
