#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What can be wrong around the rules: one line that says what and what to do, exit status 1, and
# nothing half done.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'END'
interface fw0
ingress default pass {
}
END

fails_with() { # STATUS TEXT COMMAND...
    local status=$1 text=$2 got
    shift 2
    "$@" >"$work/output" 2>&1
    got=$?
    [ $got = "$status" ] || fail "$*: exit status $got instead of $status: $(cat "$work/output")"
    [ "$(wc -l <"$work/output")" = 1 ] || fail "$*: not one line: $(cat "$work/output")"
    grep -q -- "$text" "$work/output" || fail "$*: no '$text' in: $(cat "$work/output")"
}

nothing_pinned() {
    find "$work/bpf" -mindepth 1 ! -name '*.debug' | grep . && fail "$1: pins are left"
    return 0
}

fails_with 1 "no rules are loaded" fw stats
fails_with 1 "run as root" setpriv --reuid 65534 --clear-groups "$fwctl" --pin-dir "$pins" stats
fails_with 1 "not on a bpf file system" in_right "$fwctl" --pin-dir "$work/plain" apply "$work/fw.conf"
nothing_pinned "no bpf file system"

sed 's/fw0/nothere0/' "$work/fw.conf" >"$work/missing.conf"
fails_with 1 "nothere0" fw apply "$work/missing.conf"
fw -q down >/dev/null 2>&1

# Pins of another layout are another fwctl's.
mkdir -p "$pins/v999"
fails_with 1 "layout v999" fw apply "$work/fw.conf"
fails_with 1 "layout v999" fw stats
[ -d "$pins/v999" ] || fail "the other layout's pins were touched"
[ -e "$pins/v1" ] && fail "pins were made beside another layout's"
rmdir "$pins/v999"

# An interface that vanishes takes nothing else with it.
fw -q apply "$work/fw.conf" || fail "apply"
in_right ip link del dev fw0
fw stats >/dev/null || fail "stats without the interface"
fw -q down || fail "down without the interface"
nothing_pinned "interface gone"
exit 0
