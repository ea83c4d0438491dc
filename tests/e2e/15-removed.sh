#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules that are long gone lose their names, for memory must be bounded, but not their packets: the
# lines still add up to the total.
. "$(dirname "$0")/../lib/netns.sh"
netns_start

many() { # WORD: 1,200 rules that nothing else is called
    printf 'interface fw0\ningress default pass {\n'
    for ((i = 0; i < 1200; i++)); do
        echo "    drop udp to port $((1000 + i)) label $1-$i"
    done
    echo '}'
}
adds_up() {
    stat_of 's["hooks"]["ingress"]["packets"] == reasons("ingress") + sum(r["packets"]
        for r in s["rules"] if r["hook"] == "ingress" and r["action"] != "count")' | grep -qx True
}

printf 'interface fw0\ningress default pass {\n    pass icmp label old\n}\n' >"$work/old.conf"
printf 'interface fw0\ningress default pass {\n}\n' >"$work/few.conf"
fw -q apply "$work/old.conf" || fail "apply"
in_left ping -q -c 7 -i 0.01 $right_inet >/dev/null || fail "ping"
many first >"$work/many.conf"
fw -q apply "$work/many.conf" || fail "apply many"
[ "$(stat_of 'rule("ingress", "old")')" = 7 ] || fail "a removed rule lost its packets at once"
many second >"$work/many.conf"
fw -q apply "$work/many.conf" || fail "apply many others"
fw -q apply "$work/few.conf" || fail "apply few"
[ "$(stat_of 'rule("ingress", "old")')" = 0 ] || fail "2,400 rules were removed, and no name was forgotten"
stat_of '[r["packets"] for r in s["rules"] if r["rule"] == "(removed earlier)"]' | grep -qx '\[7\]' ||
    fail "the packets of a forgotten rule are gone: $(fw stats)"
adds_up || fail "the lines do not add up: $(fw stats)"
exit 0
