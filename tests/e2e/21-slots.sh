#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Which images stay in their slots: a small one that ran is written over by the next switch, a large
# one leaves, and so does one of another size.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

small() { # PORT
    printf 'interface fw0\ningress default drop {\n    pass udp to port %s label only\n}\n' "$1"
}
small 1000 >"$work/a.conf"
small 2000 >"$work/b.conf"
/usr/bin/python3 -c "import random
random.seed(1)
for _ in range(600000): print('%d.%d.%d.%d' % tuple(random.randrange(1, 224) for _ in range(4)))" \
    >"$work/hosts"
{
    echo "set hosts file \"$work/hosts\""
    small 3000
} | sed 's/^ingress.*/&\n    drop from @hosts/' >"$work/large.conf"

# The numbers of the images in the slots of a class: images CLASS
images() {
    bpftool -j map dump pinned "$pins/v1/images-$1" | /usr/bin/python3 -c "import json, sys
ids = [int.from_bytes(bytes(int(b, 16) for b in e['value']), 'little') for e in json.load(sys.stdin)
       if isinstance(e['value'], list)]
print(*ids)"
}
passes() { # PORT
    local before
    before=$(in_right cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $3 }')
    in_left bash -c "echo x >/dev/udp/$right_inet/$1"
    wait_for 2 eval "[ \$(in_right cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print \$3 }') -gt $before ]"
}

fw -q apply "$work/a.conf" || fail "apply"
[ "$(images 0 | wc -w)" = 1 ] || fail "after the first apply: $(images 0)"
fw -q apply "$work/b.conf" || fail "apply"
before=$(images 0)
[ "$(wc -w <<<"$before")" = 2 ] || fail "the first image did not stay: $before"
for file in a b a; do
    fw -q apply "$work/$file.conf" || fail "apply"
    [ "$(images 0)" = "$before" ] || fail "new images were made: $before, now $(images 0)"
done
passes 1000 || fail "the rules that were written over an image do not work"

fw -q apply "$work/large.conf" 2>/dev/null || fail "apply of a list"
class=1
until [ -n "$(images $class)" ]; do
    class=$((class + 1))
    [ $class -lt 4 ] || fail "the list's image is nowhere"
done
[ $class -ge 2 ] || fail "the list is too small for this test"
[ -z "$(images 0)" ] || fail "images of another class stayed: $(images 0)"
fw -q add ingress pass udp to port 4000 || fail "add"
[ "$(images $class | wc -w)" = 1 ] || fail "a large image stayed: $(images $class)"
passes 4000 || fail "the rules beside the list do not work"
fw -q apply "$work/a.conf" || fail "apply"
[ -z "$(images $class)" ] || fail "the large image stayed: $(images $class)"
[ "$(images 0 | wc -w)" = 1 ] || fail "in the end: $(images 0)"
passes 1000 || fail "the small rules do not work again"
exit 0
