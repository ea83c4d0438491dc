#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Live sets from the command line: what they do to traffic, what survives what, and bad input.
# vm: long
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

rules() { # SIZE
    cat <<END
interface fw0
set banned live size $1 counters { 203.0.113.9 }
set feed live size 100000
option ban-set banned
ingress default pass {
    drop from @banned label banned
    drop from @feed label feed
}
egress default pass { }
END
}
heard() { in_left ping -q -c 1 -W 1 "${1:-$right_inet}" >/dev/null 2>&1; }
said() { grep -q -- "$1" "$work/err" || fail "no word of '$1': $(cat "$work/err")"; }
# Fails as it should: STATUS TEXT COMMAND...
refused() {
    local status=$1 text=$2
    shift 2
    "$@" >"$work/out" 2>"$work/err"
    [ $? -eq "$status" ] || fail "$*: not status $status: $(cat "$work/err")"
    said "$text"
}
count() { fw set list --json | /usr/bin/python3 -c "import json, sys
print([s['count'] for s in json.load(sys.stdin) if s['name'] == '$1'][0])"; }

rules 1000 >"$work/fw.conf"
refused 1 "no rules are loaded" fw ban 192.0.2.1
fw check "$work/fw.conf" 2>"$work/err" || fail "check: $(cat "$work/err")"
said "set banned: at most 1000 elements, .* MiB when full"
fw apply "$work/fw.conf" 2>"$work/err" || fail "apply: $(cat "$work/err")"

# Ban, see, unban.
heard || fail "not heard before the ban"
fw ban $left_inet 2>"$work/err" || fail "ban: $(cat "$work/err")"
said "1 element added"
heard && fail "heard in spite of the ban"
heard $right_inet6 || fail "the ban of an IPv4 address hit IPv6"
[ "$(fw set list banned --json | /usr/bin/python3 -c "import json, sys
e = {e['element']: e for e in json.load(sys.stdin)['elements']}['$left_inet']
print(e['packets'], e['bytes'] > 0, e['expires_in'], e['added'] > 1e9)")" = "1 True None True" ] ||
    fail "set list --json: $(fw set list banned --json)"
fw set list banned | grep -q "^$left_inet .*expires never  packets 1" || fail "set list"
fw set test banned $left_inet >/dev/null || fail "set test does not find it"
fw set test banned 192.0.2.77 >/dev/null && fail "set test finds what is not there"
fw ban $left_inet 2>"$work/err" || fail "a second ban fails"
said "there already"
fw unban $left_inet 2>/dev/null || fail "unban"
heard || fail "not heard after the unban"
fw unban $left_inet 2>"$work/err" || fail "unban of nobody fails"
said "not in it"

# Time.
before=$(count banned)
fw ban 2001:db8::/64 for 2s 2>/dev/null || fail "ban for"
heard $right_inet6 && fail "heard in spite of the ban"
wait_for 5 heard $right_inet6 || fail "the ban did not end"
fw set list banned | grep -q 2001:db8 && fail "what has expired is listed"
[ "$(count banned)" = "$before" ] || fail "what has expired is counted: $(fw set list)"
fw set list banned --json | grep -q "\"count\": $before, \"expired\": 1" || fail "$(fw set list banned --json)"

# Bad input. Nothing of it is used.
before=$(count banned)
refused 2 "'nonsense' is not an address" fw set add banned 198.51.100.1 nonsense
refused 2 "'192.0.2.300' is not an address" fw ban 192.0.2.300
refused 2 "'192.0.2.0/33' is not an address" fw ban 192.0.2.0/33
refused 2 "'192.0.2.9-192.0.2.1' is not an address" fw ban 192.0.2.9-192.0.2.1
refused 2 "not a time" fw ban 192.0.2.1 for soon
refused 2 "whom" fw ban
refused 1 "no live set 'nobody'; there are: banned, feed" fw set add nobody 192.0.2.1
head -c 4096 /dev/urandom >"$work/binary"
refused 2 "binary:" fw set add banned --file "$work/binary"
{ echo 198.51.100.1; head -c 1000000 /dev/zero | tr '\0' 1; } >"$work/long"
refused 2 "long:2: the line is longer than 65536 bytes" fw set add banned --file "$work/long"
printf '198.51.100.1\n198.51.100.2 198.51.100.3\n' >"$work/two"
refused 2 "two:2: one element a line" fw set replace banned "$work/two"
refused 2 "cannot read .*missing: No such file" fw set replace banned "$work/missing"
[ "$(count banned)" = "$before" ] || fail "bad input changed the set"

# A span that is no prefix is split, host bits are warned of, comments and doubles are fine.
printf '# list\n198.51.100.1-198.51.100.6 # span\r\n\n198.51.100.9/30\n198.51.100.2\n198.51.100.2\n2001:db8::5 timeout 1h\n' |
    fw set add banned - 2>"$work/err" || fail "standard input: $(cat "$work/err")"
said "the network 198.51.100.8/30 is used"
said "given twice"
for address in 1 2 5 6 11; do
    fw set test banned 198.51.100.$address >/dev/null || fail "198.51.100.$address is not in the set"
done
for address in 0 7 12; do
    fw set test banned 198.51.100.$address >/dev/null && fail "198.51.100.$address is in the set"
done
fw set list banned | grep -q '^2001:db8::5 .*expires in \(1h\|59min\)' || fail "a line's own timeout"

# Full: refused, counted, and nothing else goes.
rules 20 >"$work/fw.conf"
fw apply "$work/fw.conf" 2>/dev/null || fail "smaller"
seq -f 10.9.0.%g 1 30 | fw set add banned - 2>"$work/err" && fail "more than fits"
said "holds 20 of at most 20 elements"
[ "$(count banned)" = 20 ] || fail "a full set holds $(count banned)"
fw set test banned 198.51.100.1 >/dev/null || fail "a full set evicts"
[ "$(fw set list --json | /usr/bin/python3 -c "import json, sys
print(json.load(sys.stdin)[0]['refused'] > 0)")" = True ] || fail "refusals are not counted"

# The elements outlive apply, add and a change of size; a set that is new starts with its own.
rules 5000 >"$work/fw.conf"
fw apply "$work/fw.conf" 2>/dev/null || fail "larger"
fw add ingress drop tcp to port 9 2>/dev/null || fail "add"
[ "$(count banned)" = 20 ] || fail "elements were lost"

# Replacing: the difference only, not half of it gone, and a whole list again.
seq -f 10.8.%g.0/24 1 200 >"$work/list"
fw set replace feed "$work/list" 2>/dev/null || fail "replace an empty set"
sed -i 's,^10.8.5.0/24$,10.7.5.0/24,' "$work/list"
fw set replace feed "$work/list" 2>"$work/err" || fail "replace"
said "1 added, 1 deleted, 199 kept"
head -n 99 "$work/list" >"$work/cut"
refused 1 "lacks 101 of the 200 elements" fw set replace feed "$work/cut"
[ "$(count feed)" = 200 ] || fail "a refused list was used"
fw set replace feed "$work/cut" --force 2>/dev/null || fail "replace --force"
[ "$(count feed)" = 99 ] || fail "replace --force: $(count feed)"

# Killed in the middle, at each of its steps: the next fwctl finishes or it never began.
for stop in 1 2 3 4 5 6 7 8 9 10 11 12; do
    seq -f "10.$stop.%g.1" 0 250 >"$work/new"
    old=$(count feed)
    (FWCTL_TEST_STOP_AT=$stop fw set replace feed "$work/new" --force) 2>/dev/null
    status=$?
    fw unban 203.0.113.200 2>/dev/null || fail "the next fwctl fails after a kill at $stop"
    now=$(fw set list feed | sed 's/ .*//' | sort)
    if [ "$now" != "$(sort "$work/new")" ]; then
        [ "$(wc -l <<<"$now")" = "$old" ] && ! grep -q "^10\.$stop\." <<<"$now" ||
            fail "half replaced after a kill at $stop"
        fw set replace feed "$work/new" --force 2>/dev/null || fail "replace after a kill"
    fi
    [ "$(count feed)" = 251 ] || fail "counted $(count feed) after a kill at $stop"
    [ $status -eq 0 ] && break
done
[ $status -eq 0 ] || fail "replace has more steps than were tried"
[ "$stop" -gt 3 ] || fail "no step was tried"

# A reader and two writers at once.
writer() { for i in $(seq 40); do fw -q set add feed "10.200.$1.$i" || echo "writer $1: $i" >>"$work/lost"; done; }
reader() { for _ in $(seq 40); do fw set list feed >/dev/null || echo reader >>"$work/lost"; done; }
fw set flush feed 2>/dev/null || fail "flush"
[ "$(count feed)" = 0 ] || fail "flush left something"
writer 1 & writer 2 & reader &
wait
[ ! -e "$work/lost" ] || fail "$(cat "$work/lost")"
[ "$(count feed)" = 80 ] && [ "$(fw set list feed | wc -l)" = 80 ] || fail "two writers: $(count feed)"

# Down and up again: what was saved comes back, but not what has expired.
fw ban 10.66.0.1 for 1s 2>/dev/null && fw ban 10.66.0.2 for 1h 2>/dev/null || fail "ban for"
fw save "$work/saved.conf" 2>"$work/err" || fail "save: $(cat "$work/err")"
said "saved.conf.sets: saved"
fw down 2>/dev/null || fail "down"
sleep 2.1
fw apply "$work/saved.conf" --sets "$work/saved.conf.sets" 2>"$work/err" || fail "apply --sets: $(cat "$work/err")"
[ "$(count feed)" = 80 ] || fail "restored $(count feed)"
fw set test banned 10.66.0.2 | grep -q "expires in \(1h\|59min\)" || fail "a restored element's time"
fw set test banned 10.66.0.1 >/dev/null && fail "what had expired was restored"
fw set flush feed 2>/dev/null
fw set restore "$work/saved.conf.sets" 2>/dev/null || fail "set restore"
[ "$(count feed)" = 80 ] || fail "set restore: $(count feed)"
echo damaged >>"$work/saved.conf.sets"
refused 1 "not a line that" fw set restore "$work/saved.conf.sets"
refused 1 "were not filled" fw apply "$work/saved.conf" --sets "$work/saved.conf.sets"
fw apply "$work/saved.conf" --sets "$work/nothing-there" 2>/dev/null || fail "apply without a file of sets"

# No set for bans.
grep -v ban-set "$work/fw.conf" >"$work/none.conf"
fw apply "$work/none.conf" 2>/dev/null || fail "apply without ban-set"
refused 1 "name no set for bans" fw ban 192.0.2.1
exit 0
