#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Golden tests of the rule language. A case is NNN-topic.conf, or NNN-topic.gen, a script that
# writes one. Beside it stands what must come out:
#
#   .err   the diagnostics of a file that is wrong
#   .ok    the canonical text of one that is right; .warn its warnings, if there are any
#   .list  the canonical text with the built-in rules
#   .fmt   the file in the canonical layout; without it the layout is only checked to be stable
#
# Of what is right, three more things must hold: the canonical text parses to itself; formatting
# twice changes nothing; the formatted file has the same canonical text. All of it is run in a
# copy, so that paths in diagnostics are short. UPDATE=1 writes what comes out instead.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD golden=$PWD/tests/golden
parse=$root/build/tests/golden/parse
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$golden"/. "$work"
cd "$work" || exit 1
failed=0 cases=0

fail() {
    echo "FAIL $*"
    failed=$((failed + 1))
}

# same EXPECTED ACTUAL WHAT: compares, or takes over what came out.
same() {
    if [ -n "${UPDATE:-}" ]; then
        cp "$2" "$golden/$1"
    elif ! diff -u --label "$1" --label "$3" "$1" "$2"; then
        fail "$3"
    fi
}

# A right file: canonical text, and the three that follow from it.
check_right() { # NAME
    local name=$1
    if [ -s out.err ] || [ -e "$name.warn" ]; then
        [ -e "$name.warn" ] || : >"$name.warn"
        same "$name.warn" out.err "warnings of $name"
    fi
    same "$name.ok" out.text "canonical text of $name"
    cp out.text again.conf
    "$parse" again.conf >again.text 2>/dev/null && cmp out.text again.text ||
        fail "canonical text of $name does not parse to itself"
    "$parse" -r again.conf 2>/dev/null | cmp - out.text ||
        fail "canonical text of $name is another as running rules"
    if [ -e "$name.list" ]; then
        "$parse" -a "$name.conf" >out.list 2>/dev/null
        same "$name.list" out.list "list of $name"
    fi
    check_format "$name"
}

check_format() { # NAME
    local name=$1
    "$parse" -f "$name.conf" >format.conf 2>format.err || fail "$name cannot be formatted"
    [ ! -e "$name.fmt" ] || same "$name.fmt" format.conf "layout of $name"
    "$parse" -f format.conf 2>/dev/null | cmp - format.conf ||
        fail "formatting $name twice changes it"
    "$parse" format.conf 2>/dev/null | cmp - out.text || fail "formatting $name changes its meaning"
}

check_case() { # NAME
    local name=$1 status
    cases=$((cases + 1))
    "$parse" "$name.conf" >out.text 2>out.err
    status=$?
    if [ -e "$name.err" ] || { [ -n "${UPDATE:-}" ] && [ $status -ne 0 ]; }; then
        [ $status -eq 2 ] || fail "$name: exit status $status, not 2"
        [ ! -s out.text ] || fail "$name: text in spite of errors"
        same "$name.err" out.err "diagnostics of $name"
    elif [ $status -ne 0 ]; then
        cat out.err
        fail "$name: exit status $status, not 0"
    else
        check_right "$name"
    fi
}

[ -x "$parse" ] || { echo "$parse is not built"; exit 1; }
for case in [0-9]*.conf [0-9]*.gen; do
    [ -e "$case" ] || continue
    name=${case%.*}
    [ "$case" = "$name.conf" ] || bash "$case" >"$name.conf"
    check_case "$name"
    [ "$case" = "$name.conf" ] || rm -f "$name.conf"
done

# The files that are shipped are right, without a warning.
cp -r "$root/config" config
for file in config/*.conf config/examples/*.conf; do
    [ -e "$file" ] || continue
    cases=$((cases + 1))
    again=$(dirname "$file")/again.conf
    "$parse" "$file" >out.text 2>out.err && [ ! -s out.err ] || { cat out.err; fail "$file"; }
    cp out.text "$again"
    "$parse" "$again" 2>/dev/null | cmp - out.text || fail "$file does not print to itself"
    rm "$again"
done

for check in "$golden"/check-*; do
    [ -e "$check" ] || continue
    cases=$((cases + 1))
    "$check" "$root" "$parse" || fail "$(basename "$check")"
done

echo "$cases cases, $failed failures"
[ "$cases" -gt 0 ] && [ $failed -eq 0 ]
