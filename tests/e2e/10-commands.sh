#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What an operator types: apply, list, add, delete, status. Each change is one switch from the rules
# that run, counters stay, and what is wrong changes nothing.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

expect() { # STATUS WORDS COMMAND...: the exit status, and words of the messages
    local status=$1 words=$2 got
    shift 2
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got -eq "$status" ] || fail "$*: exit status $got, not $status: $(cat "$work/err")"
    [ -z "$words" ] || grep -qF -- "$words" "$work/err" || fail "$*: '$words' is not in: $(cat "$work/err")"
}
one_line() { [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line: $(cat "$work/err")"; }
numbers() { fw list -n | sed 's/^ *//; s/  / /'; }
text_of() { /usr/bin/python3 -c 'import json, sys; print(json.loads(sys.argv[1])["text"], end="")' "$1"; }
rules_are() { # LINES: the ingress rules as `list` prints them, without built-in ones
    local got
    got=$(fw list | sed -n '/^ingress/,/^}/p' | sed '1d; $d; /#/d; s/^ *//')
    [ "$got" = "$1" ] || fail "the rules are not
$1
but
$got"
}

cat >"$work/a.conf" <<RULES
interface fw0
set friends { $left_inet }

ingress default pass {
    count inet label v4
    drop udp to port 9 label discard
    pass icmp type echo-request label ping
}

egress default pass {
    count icmp label ping
}
RULES

# Nothing runs yet.
expect 1 "" fw list; one_line
expect 1 "run fwctl apply" fw status; one_line
expect 1 "" fw add ingress drop udp; one_line
[ ! -e "$pins" ] || fail "a command that failed left pins behind"

# apply tells what it did, and --dry-run does nothing.
expect 0 "nothing was changed" fw apply --dry-run "$work/a.conf"
[ ! -e "$pins" ] || fail "--dry-run made pins"
expect 0 "generation 1, 4 rules, on fw0 ingress (" fw apply "$work/a.conf"
grep -q "'friends'\|@friends\|set friends" "$work/err" || fail "no warning of a set that is not used"
expect 0 "filtering as configured" sh -c 'exec "$@" >&2' sh nsenter --net="/run/netns/$right" \
    "$fwctl" --pin-dir "$pins" status
expect 0 "" fw -q apply "$work/a.conf"
[ ! -s "$work/err" ] || fail "-q is not quiet: $(cat "$work/err")"

# Print is the inverse of parse.
fw list >"$work/listed.conf"
expect 0 "" fw -v apply "$work/listed.conf"
grep -q "ulimit" "$work/err" && fail "a hint at a limit that there is not: $(grep ulimit "$work/err")"
fw list | diff "$work/listed.conf" - || fail "list does not print again what it printed"

# Numbers count from 1 in each block; built-in rules have none.
numbers | grep -qx '2 drop udp to port 9 label discard' || fail "list -n: $(numbers)"

# add, in each place.
in_left ping -q -c 3 -i 0.01 $right_inet >/dev/null || fail "no ping"
expect 0 "generation" fw add ingress drop tcp to port 23
expect 0 "generation" fw add --before ping ingress drop tcp to port 24 label b
expect 0 "generation" fw add --after ping ingress drop tcp to port 25 label c
expect 0 "generation" fw add --at 1 ingress 'drop tcp to port { 26, 27 } label d'
rules_are "drop tcp to port { 26, 27 } label d
count inet label v4
drop udp to port 9 label discard
drop tcp to port 24 label b
pass icmp type echo-request label ping
drop tcp to port 25 label c
drop tcp to port 23"
[ "$(stat_of 'rule("ingress", "ping")')" = 3 ] || fail "counters did not survive add"
[ "$(stat_of 'rule("ingress", "v4")')" = 3 ] || fail "counters of count did not survive add"

# What cannot be added changes nothing.
before=$(fw list --json)
expect 2 "label" fw add ingress drop udp label d
expect 2 "<command line>:1:" fw add ingress drop tcp to port shh
expect 2 "not supported yet" fw add ingress pass tcp to port 113 log
expect 2 "an egress rule cannot answer with SYN cookies" fw add egress pass tcp to port 113 syncookie
expect 2 "no ingress rule is called 'nosuch'" fw add --before nosuch ingress drop udp; one_line
expect 2 "the ingress block has 7 rules" fw add --at 99 ingress drop udp; one_line
expect 2 "say ingress or egress" fw add drop udp; one_line
expect 2 "exclude each other" fw add --at 1 --before d ingress drop udp; one_line
expect 2 "'ping' is a rule of both hooks" fw delete ping; one_line
expect 2 "no rule is called '8'" fw delete ingress 8; one_line
expect 2 "no rule is called 'nosuch'" fw delete nosuch; one_line
expect 2 "there is no command 'aply'" fw aply; one_line
expect 2 "there is no option --jsn" fw list --jsn; one_line
[ "$(fw list --json)" = "$before" ] || fail "a command that failed changed the rules"

# delete, by label, by number, by text, with the hook where it is needed.
expect 0 "generation" fw delete d
expect 0 "generation" fw delete ingress 3
expect 0 "generation" fw delete drop tcp to port 23
expect 0 "generation" fw delete ingress ping
rules_are "count inet label v4
drop udp to port 9 label discard
drop tcp to port 25 label c"

# Its text need not be the canonical one.
expect 0 "generation" fw add ingress drop tcp from 198.51.100.7 to port '{' 22, 80 '}'
expect 0 "generation" fw delete ingress drop tcp 'from   198.51.100.7' to port '{22,80}'
expect 2 "no rule is called 'drop tcp to port 24'" fw delete drop tcp to port 24; one_line
rules_are "count inet label v4
drop udp to port 9 label discard
drop tcp to port 25 label c"

# A rule that comes back goes on counting; one that is gone still counts in the totals.
stat_of 'rule("ingress", "ping")' | grep -qx 3 || fail "a removed rule lost its packets"
expect 0 "generation" fw add ingress pass icmp type echo-request label ping
in_left ping -q -c 2 -i 0.01 $right_inet >/dev/null || fail "no ping"
stat_of 'rule("ingress", "ping")' | grep -qx 5 || fail "a rule that came back does not go on"
stat_of 's["hooks"]["ingress"]["packets"] == reasons("ingress") + sum(r["packets"] for r in s["rules"]
    if r["hook"] == "ingress" and r["action"] != "count")' | grep -qx True ||
    fail "the lines do not add up to the total"

# A rule that can never match, and one that cuts the session: warned of, but done.
expect 0 "warning" fw add ingress drop udp to port 9 from $left_inet
expect 0 "this cuts the SSH connection from $left_inet port 5555" \
    env SSH_CONNECTION="$left_inet 5555 $right_inet 22" nsenter --net="/run/netns/$right" \
    "$fwctl" --pin-dir "$pins" add --at 1 ingress drop tcp to port 22 label oops
grep -q "running rules:" "$work/err" && fail "a line that nobody sees: $(cat "$work/err")"
fw -q delete oops
# What takes the rule away that keeps the session is warned of too; others are named by their number.
fw -q add --at 1 ingress drop tcp to port 22 from $left_inet label late
expect 0 "rule 1" fw add --at 2 ingress count tcp to port 22 from $left_inet
expect 0 "" fw delete 2
fw -q add --at 1 ingress pass tcp to port 22 label ssh
expect 0 "this cuts the SSH connection from $left_inet port 5555" \
    env SSH_CONNECTION="$left_inet 5555 $right_inet 22" nsenter --net="/run/netns/$right" \
    "$fwctl" --pin-dir "$pins" delete ssh
fw -q delete late

# A file with errors: all are told, and the rules that run go on.
before=$(fw list --json)
cat >"$work/bad.conf" <<RULES
interface fw0
ingress default dorp {
    pass tcp to port 65536
    pass from 192.0.2.0/33
}
RULES
expect 2 "bad.conf:2:17: error:" fw apply "$work/bad.conf"
grep -q 'bad.conf:3:' "$work/err" && grep -q 'bad.conf:4:' "$work/err" || fail "not all errors told"
grep -q '\^' "$work/err" || fail "no caret"
printf 'interface fw0\nset l live\ningress default pass {\n    pass tcp log\n    drop from @l log\n}\n' \
    >"$work/later.conf"
expect 2 "later.conf:4:5: error: 'log' is not supported yet" fw apply "$work/later.conf"
grep -q "later.conf:5:5: error: 'log' is not supported yet" "$work/err" || fail "log was not refused by name"
printf 'interface fw0, nosuch0\ningress default drop { }\n' >"$work/missing.conf"
expect 1 "missing.conf:1: there is no interface nosuch0" fw apply "$work/missing.conf"
grep -q -- "--missing-ok.*fwctl watch" "$work/err" || fail "no word of --missing-ok: $(cat "$work/err")"
expect 1 "there is no interface nosuch0" fw apply --dry-run "$work/missing.conf"
expect 0 "there is no interface nosuch0" fw apply --dry-run --missing-ok "$work/missing.conf"
expect 2 "" fw apply "$work/nosuch.conf"
[ "$(fw list --json)" = "$before" ] || fail "a file with errors changed the rules"

# An interface that refuses takes the old rules back: there is no native XDP on the loopback.
printf 'interface fw0\ninterface lo mode native\ningress default drop { }\n' >"$work/refused.conf"
expect 1 "cannot filter ingress on lo" fw apply "$work/refused.conf"
in_left ping -q -c 1 -W 2 $right_inet >/dev/null || fail "the old rules are not back"
diff <(fw list | grep -v '    # ') <(text_of "$before") || fail "the rules before are not those that run"

# What the rules do not name any more is let go, and status sees what is missing.
printf 'interface fw0\ningress default pass { }\n' >"$work/in.conf"
expect 0 "fw0 egress is not filtered any more" fw apply "$work/in.conf"
expect 0 "fw0 egress (" fw add egress drop udp to port 9 label first
fw list | grep -q '^egress default pass {$' || fail "add made no egress block"
expect 0 "on no interface" sh -c 'printf "ingress default pass { }\n" >"$1/none.conf"
    shift; exec "$@"' sh "$work" nsenter --net="/run/netns/$right" "$fwctl" --pin-dir "$pins" \
    apply "$work/none.conf"
expect 1 "" fw status
grep -q "nothing is filtered" "$work/out" || fail "status does not say that nothing is filtered"

printf 'interface fw0\n' >"$work/blockless.conf"
expect 0 "no ingress or egress block, so nothing is filtered" fw apply "$work/blockless.conf"
expect 1 "" fw status
grep -q "no ingress or egress block" "$work/out" || fail "status without blocks: $(cat "$work/out")"
printf 'interface "nosuch*"\ningress default drop { }\n' >"$work/pattern.conf"
expect 0 'no interface matches "nosuch*"' fw apply "$work/pattern.conf"
expect 1 "" fw status
grep -qx "problem: no interface is filtered" "$work/out" || fail "status with none: $(cat "$work/out")"
fw status --json | grep -q '"as_configured": false' || fail "status --json: $(fw status --json)"

# From standard input. Numbers have their singular.
expect 0 "-: generation" fw apply - <"$work/in.conf"
expect 0 "" fw add ingress drop udp to port 9 label one
expect 0 "" fw status
grep -q "^generation [0-9]* of standard input, " "$work/out" || fail "$(cat "$work/out")"
grep -q "^ingress: 1 rule and [0-9]* built in" "$work/out" || fail "$(cat "$work/out")"

# What add and delete did is counted, told by status until it is saved, and told by the apply that
# drops it.
expect 0 "" fw apply "$work/in.conf"
expect 0 "" fw add ingress drop udp to port 9 label one
expect 0 "" fw add ingress drop udp to port 10 label two
expect 0 "" fw status
grep -qx "changed since by add or delete: 2, not saved" "$work/out" || fail "$(cat "$work/out")"
fw status --json | grep -q '"unsaved_changes": 2' || fail "$(fw status --json)"
expect 0 "2 changes made since by add or delete are not in $work/in.conf, and are gone" fw apply "$work/in.conf"
expect 0 "" fw apply "$work/in.conf"
grep -q "gone" "$work/err" && fail "changes are told that are not there: $(cat "$work/err")"
expect 0 "" fw add ingress drop udp to port 9 label one
fw -q save "$work/saved.conf" || fail "save"
expect 0 "" fw apply "$work/saved.conf"
grep -q "gone" "$work/err" && fail "the file has the change: $(cat "$work/err")"
expect 0 "" fw delete one
expect 0 "" fw save "$work/saved.conf"
expect 0 "" fw status
grep -q "not saved" "$work/out" && fail "saved changes are told as not saved: $(cat "$work/out")"

expect 0 "nothing is filtered any more" fw down
expect 0 "" fw down
expect 1 "" fw status
