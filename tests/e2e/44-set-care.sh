#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Commands on live sets keep the operator from what he does not mean: his own address banned, the
# machine's store written from other rules.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

fw apply - >"$work/out" 2>&1 <<END || fail "apply: $(cat "$work/out")"
interface fw0
set banned live
set friends live
option ban-set banned
ingress default drop {
    pass from @friends
    drop from @banned
    pass tcp to port 22
}
END
over_ssh() { env SSH_CONNECTION="$left_inet 5555 $right_inet 22" nsenter --net="/run/netns/$right" \
    "$fwctl" --pin-dir "$pins" "$@" >"$work/out" 2>"$work/err"; }
holds() { fw set test "$1" "$2" >"$work/out" 2>&1; }
refused() { # STATUS TEXT COMMAND...
    "${@:3}" >"$work/out" 2>"$work/err"
    [ $? -eq "$1" ] || fail "${*:3}: not status $1: $(cat "$work/err")"
    grep -q -- "$2" "$work/err" || fail "${*:3}: no word of '$2': $(cat "$work/err")"
}

# One's own address, alone, in a network, in a file; not if the set does not stop it.
refused 1 "your SSH session comes from $left_inet.*nothing was changed, --force" over_ssh ban "$left_inet"
refused 1 "your SSH session" over_ssh ban 203.0.113.1 192.0.2.0/24
refused 1 "your SSH session" over_ssh set add banned 0.0.0.0/0
printf '203.0.113.1\n%s\n' "$left_inet" >"$work/list"
refused 1 "your SSH session" over_ssh set replace banned "$work/list"
holds banned "$left_inet" && fail "it was banned all the same"
over_ssh ban 203.0.113.1 || fail "somebody else could not be banned: $(cat "$work/err")"
over_ssh set add friends "$left_inet" || fail "a friend could not be added: $(cat "$work/err")"
# With the sets that hold him already: a friend stays in, until he is a friend no more.
over_ssh ban "$left_inet" || fail "a friend is let in first: $(cat "$work/err")"
echo 203.0.113.9 >"$work/others"
refused 1 "your SSH session" over_ssh set replace friends "$work/others"
fw -q set flush banned && fw -q set flush friends || fail "flush"
over_ssh ban --force "$left_inet" for 1h || fail "--force: $(cat "$work/err")"
holds banned "$left_inet" || fail "--force did nothing"
fw -q unban "$left_inet" && fw -q ban "$left_inet" || fail "without a session anybody can be banned"

# Who leaves may be kept by a network, and is not let go in silence.
fw -q ban 198.51.100.0/29 || fail "ban of a network"
fw unban 198.51.100.3 2>"$work/err" || fail "unban"
grep -q "198.51.100.3 is in it still, with 198.51.100.0/29" "$work/err" || fail "$(cat "$work/err")"
fw unban 198.51.100.0/29 2>"$work/err" || fail "unban"
grep -q "still" "$work/err" && fail "$(cat "$work/err")"

# Who is let in by a set alone, behind another that is asked first.
fw -q apply - <<END || fail "apply"
interface fw0
set banned live
set friends live
option ban-set banned
ingress default drop {
    drop from @banned
    pass tcp from @friends to port 22
}
END
fw -q set flush banned && fw -q set add friends "$left_inet" || fail "set add"
refused 1 "your SSH session" over_ssh ban "$left_inet"
refused 1 "your SSH session" over_ssh set replace friends "$work/others"

# A full set says what it took and what it did not, of spans and of lists.
fw -q apply - <<END || fail "apply"
interface fw0
set small live size 4
ingress default pass {
    drop from @small
}
END
refused 1 "holds 4 of at most 4 elements; 4 were added, 2 refused: 10.0.0.8/29, 10.0.0.16/30; make room" \
    fw set add small 10.0.0.1-10.0.0.20
holds small 10.0.0.20 || fail "not added: $(fw set list small)"
holds small 10.0.0.16 && fail "added all the same: $(fw set list small)"
fw -q set flush small || fail "flush"
refused 1 "; 4 were added, 36 refused: 10.1.0.5, 10.1.0.6, .*10.1.0.12 and 28 more; make room" \
    fw set add small --file <(seq -f 10.1.0.%g 40)
refused 1 "; none was added, 1 refused: 2001:db8::/64; make room" fw set add small 2001:db8::/64

# Words for a time where the command wants them otherwise.
refused 2 "how long is written at the end: timeout 10min; nothing" fw set add small 192.0.2.9 for 1h
refused 2 "how long is written at the end: for 10min; nothing" fw ban 192.0.2.9 10min
refused 2 "'1h' is not an address" fw unban 192.0.2.9 1h

# The store of the machine belongs to the rules of the machine.
refused 2 "save which file?" fw set save
refused 2 "restore which file?" fw set restore
fw -q set save "$work/store" || fail "save to a file"

# What a verb lacks is said, and only its own usage.
refused 2 "usage: fwctl set test NAME ADDR$" fw set test banned
refused 2 "usage: fwctl set flush NAME$" fw set flush
refused 2 'foo. is not understood' fw set foo
exit 0
