#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An interface refuses new rules, and going back fails too, at each point where memory may be short:
# what answers rejected packets is there if the rules that run in the end reject, and only then.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

rules() { # ACTION LINE...
    printf 'interface fw0\n'
    printf '%s\n' "${@:2}"
    printf 'option essential off\ningress default pass {\n    %s tcp to port 113 label ident\n}\n' "$1"
}
rules drop >"$work/drop.conf"
rules reject >"$work/reject.conf"
# The loopback has no native XDP.
rules reject 'interface lo mode native' >"$work/reject-lo.conf"
rules drop 'interface lo mode native' >"$work/drop-lo.conf"
answers() { # the interfaces that have the program that answers
    fw status --json | /usr/bin/python3 -c "import json, sys
print(*[i['interface'] for i in json.load(sys.stdin)['answers']])"
}

failed_back=0
for change in drop:reject reject:drop; do
    IFS=: read -r old kind <<<"$change"
    fw -q apply "$work/$old.conf" || fail "apply $old"
    for ((point = 1; point < 30; point++)); do
        FWCTL_TEST_NO_MEMORY_AT=$point fw apply "$work/$kind-lo.conf" 2>"$work/err" && fail "native on lo"
        grep -q "lo" "$work/err" || continue # memory was short before an interface refused
        runs=$(fw list | sed -n 's/ *\([a-z]*\) tcp to port 113 .*/\1/p')
        found=$(answers)
        case $runs in
            reject) [[ " $found " == *" fw0 "* ]] || fail "point $point: nothing answers: $(cat "$work/err")" ;;
            drop) [ -z "$found" ] || fail "point $point: it answers on $found: $(cat "$work/err")" ;;
            *) fail "point $point: what runs is '$runs'" ;;
        esac
        if ! grep -q "running again" "$work/err"; then
            grep -q "going back failed as well" "$work/err" || fail "point $point: $(cat "$work/err")"
            [ "$runs" = "$kind" ] || fail "point $point: $runs runs: $(cat "$work/err")"
            failed_back=$((failed_back + 1))
        fi
        [ "$runs" = "$old" ] || fw -q apply "$work/$old.conf" || fail "point $point: the next apply"
        [ "$runs" = "$old" ] && ! grep -q "not enough memory" "$work/err" && break
    done
    fw -q down || fail "down"
done
[ $failed_back -ge 2 ] || fail "going back failed $failed_back times only"
echo "going back failed at $failed_back points"
exit 0
