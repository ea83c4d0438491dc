#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `fwctl save` writes the running rules to a file that applies again, and overwrites nothing that it
# should not.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

refused() { # WORDS COMMAND...
    local words=$1
    shift
    "$@" 2>"$work/err" && fail "$* was not refused"
    grep -qF -- "$words" "$work/err" || fail "'$words' is not in: $(cat "$work/err")"
}

mkdir -p "$work/etc/lists" "$work/elsewhere"
printf '192.0.2.66\n198.51.100.0/24\n2001:db8:bad::/48\n' >"$work/etc/lists/bad.txt"
cat >"$work/etc/fw.conf" <<'RULES'
# The operator's own words.
interface fw0
set bad file "lists/bad.txt"

ingress default pass {
    drop from @bad label bad
}
RULES
chmod 640 "$work/etc/fw.conf"
ln -s fw.conf "$work/etc/link.conf"

fw -q apply "$work/etc/fw.conf" || fail "apply"
fw -q add ingress drop udp to port 9 label discard || fail "add"

# To a new file, in another folder: the set's file is still found, and the rules are the same.
fw -q save "$work/elsewhere/new.conf" || fail "save to a new file"
[ "$(stat -c %a "$work/elsewhere/new.conf")" = 644 ] || fail "a new file has another mode than 0644"
grep -qF "set bad file \"$work/etc/lists/bad.txt\"" "$work/elsewhere/new.conf" ||
    fail "the set's path is not absolute: $(cat "$work/elsewhere/new.conf")"
fw list >"$work/before"
(cd / && fw -q apply "$work/elsewhere/new.conf") || fail "the saved file does not apply"
fw list | diff "$work/before" - || fail "the saved file means something else"

# A set's file is read when rules are applied, never by add: what runs is what was applied.
echo 203.0.113.0/24 >>"$work/etc/lists/bad.txt"
fw -q add ingress drop udp to port 10 label ten || fail "add"
ping_from() {
    ip -n "$left" addr replace "$1/32" dev peer0
    ip -n "$right" route replace "$1/32" dev fw0
    neighbours "$right" fw0 "$1" 2001:db8::9 "$(mac "$left" peer0)"
    in_left ping -q -c 1 -W 1 -I "$1" $right_inet >/dev/null
}
ping_from 203.0.113.9 || fail "add read the set's file again"
ping_from 198.51.100.9 && fail "add lost the set's contents"
fw -q apply "$work/etc/fw.conf" || fail "apply"
ping_from 203.0.113.9 && fail "apply did not read the set's file"

# Over the file that the rules came from: in one step, mode and owner kept, the old one beside it.
fw -q add ingress drop udp to port 9 label discard || fail "add"
fw -q save "$work/etc/link.conf" || fail "save over the file itself"
[ -L "$work/etc/link.conf" ] || fail "the symbolic link is gone"
[ "$(stat -c %a "$work/etc/fw.conf")" = 640 ] || fail "the mode changed"
grep -q "own words" "$work/etc/fw.conf.bak" || fail "the old file was not kept"
grep -q "label discard" "$work/etc/fw.conf" || fail "the running rules were not written"
[ "$(find "$work/etc" -type f | wc -l)" = 3 ] || fail "something was left: $(ls "$work/etc")"

# Over another file, or one that was changed meanwhile: only by force.
echo "# precious" >"$work/other.conf"
refused "--force" fw save "$work/other.conf"
grep -q precious "$work/other.conf" || fail "another file was overwritten"
fw -q save --force "$work/other.conf" || fail "save --force"
grep -q precious "$work/other.conf.bak" || fail "the other file was not kept"

# Not by its time, but by its text: an edit within the same second, or by `cp -p`, is seen, also when
# rules were added since, and the time alone means nothing.
edited() { # COMMAND...: what changes the file
    cp -p "$work/etc/fw.conf" "$work/kept.conf"
    "$@"
    refused "was changed after it was applied" fw save "$work/etc/fw.conf"
    fw -q add ingress drop udp to port 11 label eleven || fail "add"
    refused "was changed after it was applied" fw save "$work/etc/fw.conf"
    fw -q delete eleven || fail "delete"
    cp -p "$work/kept.conf" "$work/etc/fw.conf"
}
edit_quietly() {
    sed 's/port 9/port 8/' "$work/etc/fw.conf" >"$work/edited.conf"
    touch -r "$work/etc/fw.conf" "$work/edited.conf"
    cp -p "$work/edited.conf" "$work/etc/fw.conf"
}
edited sh -c 'echo "# by hand" >>"$1"' sh "$work/etc/fw.conf"
edited edit_quietly
touch -d '+1 hour' "$work/etc/fw.conf"
fw -q add ingress drop udp to port 11 label eleven || fail "add"
fw -q save "$work/etc/fw.conf" || fail "a file with another time but the same text was not saved over"
fw -q add ingress drop udp to port 12 label twelve || fail "add"
fw -q save "$work/etc/fw.conf" || fail "save, add and save again"
cp "$work/etc/fw.conf.bak" "$work/old.bak"
fw -q save "$work/etc/fw.conf" || fail "saving twice"
cmp "$work/etc/fw.conf.bak" "$work/old.bak" || fail "saving twice lost the old text"
cp "$work/etc/fw.conf" "$work/copy.conf"
fw -q save "$work/copy.conf" || fail "save over a file that holds the same"
fw save - >"$work/out" || fail "save to standard output"
cmp "$work/out" "$work/etc/fw.conf" || fail "standard output got something else"
refused "$work is not a file" fw save "$work"

# A folder that is not there: said, nothing left.
refused "cannot write $work/nowhere/fw.conf: No such file or directory" fw save "$work/nowhere/fw.conf"
grep -q "as it was" "$work/err" && fail "there was nothing: $(cat "$work/err")"

fw -q down || fail "down"
refused "no rules are loaded" fw save "$work/none.conf"
[ ! -e "$work/none.conf" ] || fail "a file was made of nothing"
exit 0
