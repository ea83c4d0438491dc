#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel refuses memory at each point where much is asked for: the old rules run on and count on,
# one line says what to do, and the next apply works.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/old.conf" <<'END'
interface fw0
ingress default drop {
    pass udp to port 1000 label only
}
END
# Larger tables, flows and limits, none of which the old rules have.
/usr/bin/python3 -c "import random
random.seed(1)
for _ in range(150000): print('%d.%d.%d.%d' % tuple(random.randrange(1, 192) for _ in range(4)))" \
    >"$work/hosts"
cat >"$work/new.conf" <<END
interface fw0
set hosts file "$work/hosts"
option flows 1000
ingress default drop {
    drop from @hosts
    pass udp to port 2000 keep state limit 1000000/s label new
}
END
status_of() { # EXPRESSION
    fw status --json | /usr/bin/python3 -c "import json, sys; print(json.load(sys.stdin)$1)"
}
send() { in_left bash -c "echo x >/dev/udp/$right_inet/1000"; }
counted_is() { [ "$(stat_of 'rule("ingress", "only")')" = "$1" ]; }

fw -q apply "$work/old.conf" || fail "apply"
for ((point = 1; point < 50; point++)); do
    generation=$(status_of '["generation"]')
    FWCTL_TEST_NO_MEMORY_AT=$point fw -q apply "$work/new.conf" 2>"$work/err" && break
    [ "$(wc -l <"$work/err")" = 1 ] || fail "point $point: not one line: $(cat "$work/err")"
    grep -q "not enough memory.*free some, then try again.*what runs is unchanged" "$work/err" ||
        fail "point $point: $(cat "$work/err")"
    [ "$(status_of '["generation"]')" = "$generation" ] || fail "point $point: other rules run"
    fw list | grep -q "label only" || fail "point $point: other rules are listed"
    send
    wait_for 5 counted_is "$point" || fail "point $point: the old rule does not count on"
    [ "$(find "$pins/v1" -name 'generation-*' | wc -l)" = 1 ] || fail "point $point: leftovers"
    # What was made before the point is not used: it goes.
    fw -q apply "$work/old.conf" || fail "point $point: the next apply"
done
[ "$point" -gt 8 ] || fail "only $point points"
[ "$(status_of '["generation"]')" != "$generation" ] || fail "the new rules do not run in the end"

# `add` likewise.
generation=$(status_of '["generation"]')
FWCTL_TEST_NO_MEMORY_AT=1 fw -q add ingress pass udp to port 3000 2>"$work/err" && fail "add"
grep -q "not enough memory" "$work/err" || fail "add: $(cat "$work/err")"
[ "$(status_of '["generation"]')" = "$generation" ] || fail "add: other rules run"
fw -q add ingress pass udp to port 3000 || fail "add does not work afterwards"
echo "memory was refused at $((point - 1)) points"
exit 0
