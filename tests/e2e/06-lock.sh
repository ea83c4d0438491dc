#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# One command at a time: the second waits, then says who holds the lock; readers do not wait.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface fw0
ingress default pass {
}
END
fw -q apply "$work/fw.conf" || fail "apply"

# Somebody who holds the lock.
/usr/bin/python3 -c "import fcntl, os, time
fcntl.flock(os.open('$pins', os.O_RDONLY), fcntl.LOCK_EX)
time.sleep(60)" &
holder=$!
children+=("$holder")
wait_for 5 eval '! flock -n "$pins" true' || fail "the lock is not held"

started=$(date +%s%N)
fw --wait 1 apply "$work/fw.conf" >"$work/output" 2>&1 && fail "apply ignores the lock"
waited=$((($(date +%s%N) - started) / 1000000))
[ $waited -ge 1000 ] || fail "it waited only $waited ms of 1000"
[ $waited -lt 5000 ] || fail "it waited $waited ms for 1000"
[ "$(wc -l <"$work/output")" = 1 ] || fail "more than one line: $(cat "$work/output")"
grep -q "process $holder (/usr/bin/python3" "$work/output" || fail "the holder is not named: $(cat "$work/output")"
fw stats >/dev/null || fail "stats waits for the lock"

# It gets the lock when it is free.
fw --wait 20 apply "$work/fw.conf" >"$work/output" 2>&1 &
waiting=$!
sleep 0.2
kill -0 $waiting 2>/dev/null || fail "it does not wait: $(cat "$work/output")"
kill $holder
wait $waiting || fail "it fails when the lock is free: $(cat "$work/output")"
exit 0
