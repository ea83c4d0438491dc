#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Files as large as they may be are applied, larger ones are refused with the bound, and whatever an
# apply has no memory for leaves the running rules as they are. Tables shrink again.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

/usr/bin/python3 - "$work" <<'END'
import sys
work = sys.argv[1]

def address(number):
    return "%d.%d.%d.%d" % (number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255)

def write(name, rules, prefixes=0, before="", egress=0):
    with open("%s/%s.txt" % (work, name), "w") as file:
        file.writelines("%s\n" % address(0x0b000000 + 2 * i) for i in range(prefixes))
    with open("%s/%s.conf" % (work, name), "w") as file:
        file.write("option essential off\ninterface fw0\n")
        if prefixes:
            file.write('set list file "%s.txt"\n' % name)
        file.write("ingress default pass {\n" + before)
        file.writelines("drop udp from %s to port %d\n" % (address(0xc8000000 + 3 * i), 1 + i % 999)
                        for i in range(rules))
        file.write("}\negress default pass {\n")
        file.writelines("drop udp to port 9 label e%d\n" % i for i in range(egress))
        file.write("}\n")

write("small", 1, before="pass icmp label stays\n")
write("large", 99998, 1500000, "drop from @list\npass icmp label stays\n")
write("block", 250001)
write("blocks", 125001, egress=125000)
write("prefixes", 1, 4000001, "drop from @list\n")
END
for set in a b c; do echo "set $set file \"large.txt\""; done >"$work/sets.conf"
echo 'ingress default pass { drop from { @a, @b, @c } }' >>"$work/sets.conf"

status_of() { fw status --json | /usr/bin/python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }
refused() { # WORDS COMMAND...
    local words=$1
    shift
    fw -q "$@" >"$work/out" 2>"$work/err" && fail "$* was not refused"
    grep -qF -- "$words" "$work/err" || fail "$*: '$words' is not in: $(head -c 500 "$work/err")"
}

fw -q apply "$work/small.conf" || fail "apply"
small=$(status_of '["image_bytes"]') generation=$(status_of '["generation"]')
refused "a block has at most 250000 rules" check "$work/block.conf"
refused "250001 rules; at most 250000 can be loaded" check "$work/blocks.conf"
refused "250001 rules; at most 250000 can be loaded" apply "$work/blocks.conf"
refused "has more than 4000000 elements" check "$work/prefixes.conf"
refused "4500000 prefixes; at most 4000000 can be loaded" check "$work/sets.conf"
[ "$(status_of '["generation"]')" = "$generation" ] || fail "a file that was refused changed something"

# Too little memory, in steps, so that it ends in the parser, the compiler and the data plane.
failures=0
for megabytes in 40 80 160 240 320 400 480; do
    if (ulimit -v $((megabytes * 1024)) && fw -q apply "$work/large.conf") 2>"$work/err"; then
        break
    fi
    failures=$((failures + 1))
    grep -q "memory" "$work/err" || fail "$megabytes MB: $(head -c 500 "$work/err")"
    [ "$(status_of '["generation"]')" = "$generation" ] || fail "$megabytes MB: the rules changed"
    in_left ping -c 1 -W 2 $right_inet >/dev/null || fail "$megabytes MB: no ping"
done
[ $failures -ge 2 ] || fail "40 and 80 MB were enough for 1,500,000 prefixes"
[ "$(stat_of 'rule("ingress", "stays")')" = $failures ] || fail "pings were not counted"

fw -q apply "$work/large.conf" || fail "100,000 rules and 1,500,000 prefixes"
large=$(status_of '["image_bytes"]')
[ "$large" -gt $((8 << 20)) ] || fail "1,500,000 prefixes in $large bytes"
in_left ping -c 1 -W 2 $right_inet >/dev/null || fail "no ping among 100,000 rules"
fw -q apply "$work/small.conf" || fail "apply a small file again"
[ "$(status_of '["image_bytes"]')" = "$small" ] || fail "the tables did not shrink"
fw -q down || fail "down"
