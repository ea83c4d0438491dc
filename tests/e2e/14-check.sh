#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl check` and `fwctl format` need no privilege, read and write what they are told, and nothing
# else.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
[ -x "$fwctl" ] || fail "$fwctl is not built"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$fwctl" "$work/fwctl"
cp -r "$root/config" "$work/config"
# As nobody, if the test runs as root.
plain() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid 65534 --regid 65534 --clear-groups "$work/fwctl" "$@"
    else
        "$work/fwctl" "$@"
    fi
}
expect() { # STATUS WORDS ARGUMENT...
    local status=$1 words=$2 got
    shift 2
    plain "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got -eq "$status" ] || fail "$*: exit status $got, not $status: $(cat "$work/err")"
    [ -z "$words" ] || grep -qF -- "$words" "$work/err" ||
        fail "$*: '$words' is not in: $(cat "$work/err")"
}

for file in "$work"/config/fw.conf "$work"/config/examples/*.conf; do
    expect 0 "no error" check "$file"
    grep -q warning "$work/err" && fail "$file: $(cat "$work/err")"
done
# It filters nothing as it stands, which is no warning; an example names its interface.
expect 0 "the rules name no interface, so nothing is filtered" check "$work/config/fw.conf"
for file in "$work"/config/examples/*.conf; do
    plain check "$file" 2>&1 >/dev/null | grep -F "name no interface" && fail "$file: it does"
done
# The session of whoever applies the default file stays.
SSH_CONNECTION="192.0.2.1 5555 192.0.2.2 22" plain check "$work/config/fw.conf" 2>"$work/err" ||
    fail "check with a session"
grep -q warning "$work/err" && fail "the default file would cut a session: $(cat "$work/err")"

# The session is found in a parent's environment too, as under sudo.
printf 'interface "*"\ningress default drop { }\n' >"$work/cut.conf"
SSH_CONNECTION="2001:db8::1 5555 2001:db8::2 22" bash -c \
    "env -u SSH_CONNECTION $work/fwctl check $work/cut.conf; true" 2>"$work/err"
grep -qF "this cuts the SSH connection from 2001:db8::1 port 5555" "$work/err" ||
    fail "the session was not found in the parent's environment: $(cat "$work/err")"

# Segments with ACK keep the session that is there; a new one must come in too.
again() { # STATUS OF GREP, RULE
    printf 'interface "*"\n%s\n' "$2" >"$work/again.conf"
    SSH_CONNECTION="192.0.2.1 5555 192.0.2.2 22" plain check "$work/again.conf" >"$work/out" 2>"$work/err" ||
        fail "check: $(cat "$work/err")"
    grep -q "from 192.0.2.1 that you are using stays, but you could not log in again" "$work/err"
    [ $? -eq "$1" ] || fail "log in again, '$2': $(cat "$work/err")"
    grep -q "this cuts the SSH" "$work/err" && fail "the session is not cut: $(cat "$work/err")"
}
again 0 'ingress default drop { pass tcp flags A/A }'
again 0 'ingress default pass { drop tcp to port 22 flags S/SA }'
again 1 'ingress default drop {
    pass tcp from 192.0.2.0/24 to port 22 flags S/SA
    pass tcp flags A/A
}'
again 0 'egress default pass { drop tcp flags SA/SA }'
# With state it stays if it is recorded, and the answer to a new one is established.
printf 'interface "*"\ningress default drop {\n%s\n%s\n}\negress default drop {\n%s\n}\n' \
    'pass state established, related' 'pass tcp to port 22 flags S/SA keep state' 'pass state established' \
    >"$work/state.conf"
SSH_CONNECTION="192.0.2.1 5555 192.0.2.2 22" plain check "$work/state.conf" >"$work/out" 2>"$work/err" ||
    fail "check with state: $(cat "$work/err")"
grep -q "stays only if it is recorded already" "$work/err" || fail "with state: $(cat "$work/err")"
grep -qE "this cuts the SSH|log in again" "$work/err" && fail "state is not understood: $(cat "$work/err")"
again 1 'egress default drop { pass tcp flags A/A }'

printf 'ingress default drop {\n    pass tcp to port shh\n    pas udp\n}\n' >"$work/bad.conf"
expect 2 "bad.conf:2:22: error:" check "$work/bad.conf"
grep -qF "bad.conf:3:5: error:" "$work/err" || fail "the second error was not told"
expect 2 "bad.conf" format "$work/bad.conf"
expect 2 "No such file or directory" check "$work/nosuch.conf"
expect 2 "No such file or directory" format "$work/nosuch.conf"
expect 2 "one rule file" check "$work/bad.conf" "$work/bad.conf"

# A file that may not be read: as the main one, included, as a set's, and a directory of files.
if [ "$(id -u)" -eq 0 ]; then
    mkdir "$work/closed"
    echo 'option essential off' | tee "$work/secret.conf" "$work/secret.txt" >"$work/closed/a.conf"
    chmod 600 "$work/secret.conf" "$work/secret.txt"
    chmod 700 "$work/closed"
    expect 2 "secret.conf: error: cannot read the file: Permission denied" check "$work/secret.conf"
    expect 2 "secret.conf: Permission denied" format "$work/secret.conf"
    echo 'include "secret.conf"' >"$work/asks.conf"
    expect 2 'asks.conf:1:9: error: cannot read "'"$work/secret.conf\": Permission denied" check "$work/asks.conf"
    echo 'set x file "secret.txt"' >"$work/asks.conf"
    expect 2 'asks.conf:1:12: error: cannot read "'"$work/secret.txt\": Permission denied" check "$work/asks.conf"
    echo 'include "closed/*.conf"' >"$work/asks.conf"
    expect 2 'closed/*.conf": Permission denied' check "$work/asks.conf"
fi

# Doubts: a rule that can never match.
printf 'ingress default drop {\n    pass tcp\n    drop tcp to port 22\n}\n' >"$work/doubt.conf"
expect 0 "doubt.conf:3:5: warning:" check "$work/doubt.conf"
expect 0 "" -q check "$work/doubt.conf"
[ ! -s "$work/err" ] || fail "-q is not quiet"

# The forecast, also of what this version may not apply yet; it is the same on every host.
cat >"$work/cost.conf" <<'END'
interface eth0, "wan*"
set banned live
option essential off
ingress default drop {
    drop from @banned
    pass on "wan*" tcp to port { 80, 443 } keep state
    pass from 192.0.2.0/24 to port 53 limit 10/s
    count to port 53
}
egress default pass {
    drop tcp to port 25 label no-smtp
}
END
expect 0 "5 rules, no error" check "$work/cost.conf"
grep -qE '^forecast: tables of [0-9.]+ KiB(, buckets of [0-9.]+ MiB)?$' "$work/out" || fail "$(cat "$work/out")"
grep -qx '  ingress: 4 rules; with keep state, live sets of sources, limit, rules that go on' \
    "$work/out" || fail "rules and features: $(cat "$work/out")"
grep -qE '^    inet   3 terms; classes: 2 source, 1 destination, [0-9]+ service$' "$work/out" ||
    fail "terms of inet: $(cat "$work/out")"
grep -qE '^    inet6  2 terms;' "$work/out" || fail "terms of inet6: $(cat "$work/out")"
[ "$(grep -cE '^           worst packet: compared with (1 term|[23] terms)(, [a-z0-9 -]+)*, about [0-9]+ ns' "$work/out")" -eq 4 ] ||
    fail "worst packets: $(cat "$work/out")"
expect 0 "" check --json "$work/cost.conf"
"${PYTHON:-/usr/bin/python3}" - "$work/out" <<'END' || fail "check --json: $(cat "$work/out")"
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    told = json.load(file)
assert told["table_bytes"] > 1000
ingress, egress = told["hooks"]["ingress"], told["hooks"]["egress"]
assert (ingress["rules"], ingress["builtin"]) == (4, 0)
assert "keep state" in ingress["features"] and egress["features"] == []
inet = ingress["families"][0]
assert (inet["family"], inet["form"], inet["count"], inet["source_classes"]) == ("inet", "terms", 3, 2)
assert inet["worst_is_exact"] and inet["worst_probes"] == 2
assert egress["families"][0]["worst_rules"] == ["no-smtp"]
assert egress["families"][0]["worst_ns"] >= egress["families"][0]["typical_ns"] > 0
END
# Essential rules are told apart; many rules of many shapes become tuples.
sed -i '/essential/d' "$work/cost.conf"
expect 0 "" check "$work/cost.conf"
grep -qE '^  ingress: 4 rules and [1-9] built in' "$work/out" || fail "$(cat "$work/out")"
{
    echo 'egress default pass {'
    for i in $(seq 0 1999); do
        echo "    drop tcp to 10.$((i / 256)).$((i % 256)).1 port $((i + 1))"
    done
    echo '}'
} >"$work/many.conf"
expect 0 "" check "$work/many.conf"
grep -qE '^    inet   ([0-9]{1,2} tuples|1 tuple); classes: 1 source' "$work/out" || fail "$(cat "$work/out")"
# What cannot be compiled is said here, not only by apply.
{
    echo 'egress default pass {'
    for i in $(seq 1 20); do
        echo "    count tcp to port 1-$((1000 + i))"
    done
    echo '}'
} >"$work/many.conf"
expect 1 "cannot compile the rules:" -q check "$work/many.conf"

# Two files that judge packets alike are not the same where options, interfaces or live sets differ.
differ() { # STATUS SAME OLD NEW
    printf '%s\ningress default drop { pass tcp to port 22 }\n' "$3" >"$work/old.conf"
    printf '%s\ningress default drop { pass tcp to port 22 }\n' "$4" >"$work/new.conf"
    expect "$1" "" diff --exit-code "$work/old.conf" "$work/new.conf"
    expect 0 "" diff "$work/old.conf" "$work/new.conf"
    expect 0 "" diff --json "$work/old.conf" "$work/new.conf"
    grep -q "\"same\": $2" "$work/out" || fail "diff '$3' '$4': $(cat "$work/out")"
}
differ 0 true 'interface eth0' '# the same
interface eth0'
differ 1 false 'interface eth0' 'interface eth1'
differ 1 false 'option fail-policy pass' 'option fail-policy drop'
differ 1 false 'set x live { 192.0.2.1 }' 'set x live { 192.0.2.2 }'

# Standard input is a rule file too.
expect 0 "-: 5 rules, no error" check - <"$work/cost.conf"
expect 2 "-:2:22: error:" check - <"$work/bad.conf"
expect 0 "-: 1 rule, " apply --dry-run --missing-ok - <<<"interface eth0
ingress default drop { pass tcp to port 22 }"

# A verdict of the rules means nothing where they are not attached.
printf 'interface eth0, "wan*"\ningress default drop { pass tcp to port 22 }\n' >"$work/where.conf"
noted() { # STATUS OF GREP, INTERFACE
    expect 0 "" explain --rules "$work/where.conf" --packet "in $2 tcp 192.0.2.1:5555 > 192.0.2.2:22"
    grep -qx "    note: $2 is named by no \`interface\` line: its packets are not filtered" "$work/out"
    [ $? -eq "$1" ] || fail "explain on $2: $(cat "$work/out")"
}
noted 0 eth9
noted 0 lo
noted 1 eth0
noted 1 wan1
expect 0 "" explain --json --rules "$work/where.conf" --packet "in eth9 tcp 192.0.2.1:5555 > 192.0.2.2:22"
grep -q '"note":"eth9 is named by no' "$work/out" || fail "explain --json: $(cat "$work/out")"

# What apply refuses is told by name, with its line, and is no error.
cat >"$work/refused.conf" <<'END'
interface eth0
option flows 1000
set banned live
ingress default drop {
    drop from @banned
    pass tcp to port 22 keep state log
    reject tcp to port 113
    pass tcp to port 80 syncookie
    pass state established
}
egress default pass { }
END
expect 0 "5 rules, no error" check "$work/refused.conf"
grep -qE "refused.conf:[0-9:]+: warning: 'log' is not supported yet: apply of this version refuses it$" \
    "$work/err" || fail "no word of log: $(cat "$work/err")"
grep -q "flows: at most 1000, and 1024 half open, 0.8 MiB of memory" "$work/err" || fail "no word of memory"
expect 2 "refused.conf:6:5: error: 'log' is not supported yet" apply --dry-run "$work/refused.conf"

# Layout: standard output, or the file itself, in one step; comments stay.
printf '# why\ningress   default drop {\npass tcp to port {22,80}   label x # because\n}\n' >"$work/f.conf"
chmod 666 "$work/f.conf"
chmod 777 "$work"
expect 0 "" format "$work/f.conf"
grep -q '^    pass tcp to port { 22, 80 } label x *# because$' "$work/out" || fail "$(cat "$work/out")"
cp "$work/out" "$work/wanted"
expect 0 "" format - <"$work/f.conf"
cmp "$work/out" "$work/wanted" || fail "standard input is formatted otherwise"
expect 0 "" format --write "$work/f.conf"
cmp "$work/f.conf" "$work/wanted" || fail "--write wrote something else"
[ "$(stat -c %a "$work/f.conf")" = 666 ] || fail "--write changed the mode"
expect 2 "cannot be written" format --write -

# Help and version, on standard output.
expect 0 "" --version
grep -qE '^fwctl [0-9]+\.[0-9]+' "$work/out" || fail "version: $(cat "$work/out")"
expect 0 "" --help
for command in apply check format list add delete save stats status explain diff set ban flows down; do
    grep -q "^  $command " "$work/out" || fail "--help does not name $command"
    plain "$command" --help | grep -q "^usage: fwctl $command" || fail "no help of $command"
    plain "$command" --help | grep -q '.\{81\}' && fail "$command --help is wider than a terminal"
done
plain set --help | grep -qx '       fwctl set test NAME ADDR' || fail "$(plain set --help)"
expect 2 "\`foo\` is not understood; \`fwctl set --help\` shows how it is used" set foo
expect 2 "two rule files, the old and the new one; usage: fwctl diff OLD NEW" diff one
expect 2 "fwctl: no command is named; \`fwctl --help\` lists the commands" -q
expect 2 "needs a value" check --pin-dir
expect 2 "takes no value" list --json=yes
expect 2 "not a number of seconds" check --wait soon "$work/f.conf"
# An output that cannot be written is a failure.
plain format "$work/f.conf" >/dev/full 2>"$work/err" && fail "writing to a full disk went unnoticed"
exit 0
