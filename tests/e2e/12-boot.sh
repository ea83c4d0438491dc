#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What `make install` puts where, that the unit is sound, and that what it starts works with the
# rules as they are installed.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start
cd "$root" || exit 1
stage=$work/stage

make -s install DESTDIR="$stage" PREFIX=/usr >"$work/out" 2>&1 || fail "install: $(cat "$work/out")"
for file in usr/sbin/fwctl usr/share/man/man8/fwctl.8 usr/share/man/man5/fwctl.conf.5 \
    usr/lib/systemd/system/fwctl.service usr/lib/systemd/system/fwctl-watch.service \
    usr/share/bash-completion/completions/fwctl \
    usr/share/zsh/site-functions/_fwctl etc/fwctl/fw.conf usr/share/doc/fwctl/examples/server.conf \
    usr/share/doc/fwctl/language.md usr/share/doc/fwctl/operations.md; do
    [ -f "$stage/$file" ] || fail "$file was not installed"
done
[ -x "$stage/usr/sbin/fwctl" ] || fail "fwctl is not executable"
unit=$stage/usr/lib/systemd/system/fwctl.service
grep -q '^ExecStart=/usr/sbin/fwctl apply --missing-ok --sets /var/lib/fwctl/sets /etc/fwctl/fw.conf$' "$unit" || fail "the unit starts something else"
grep -q '^Before=network-pre.target' "$unit" || fail "the unit is not ordered before the network"

# What the operator wrote is not overwritten.
echo "# mine" >>"$stage/etc/fwctl/fw.conf"
make -s install DESTDIR="$stage" PREFIX=/usr >/dev/null 2>&1 || fail "install again"
grep -q "^# mine" "$stage/etc/fwctl/fw.conf" || fail "install overwrote fw.conf"

# The unit's own command lines, with the paths of the stage, in a namespace.
command_of() { sed -n "s,^$1=/usr/sbin/fwctl,,p" "$unit" | sed "s,/etc/fwctl,$stage/etc/fwctl,; s,/var/lib/fwctl,$work/state,"; }
# shellcheck disable=SC2046
staged() { in_right "$stage/usr/sbin/fwctl" --pin-dir "$pins" $(command_of "$1"); }
staged ExecStart 2>"$work/err" || fail "ExecStart: $(cat "$work/err")"
grep -q "nothing is filtered" "$work/err" || fail "no word that no interface is named: $(cat "$work/err")"
sed -i 's/^# interface eth0/interface fw0/' "$stage/etc/fwctl/fw.conf"
staged ExecReload 2>"$work/err" || fail "ExecReload: $(cat "$work/err")"
fw status >/dev/null || fail "the installed rules do not filter"
in_left ping -q -c 1 -W 2 $right_inet >/dev/null || fail "the installed rules lock out"
in_left ping -q -c 1 -W 2 $right_inet6 >/dev/null || fail "the installed rules lock out IPv6"
# An interface that is not there at boot leaves none of the others open, and is filtered as it appears.
sed -i 's/^interface fw0/interface late0, fw0/' "$stage/etc/fwctl/fw.conf"
staged ExecStop 2>/dev/null || fail "ExecStop"
staged ExecStart 2>"$work/err" || fail "ExecStart without an interface: $(cat "$work/err")"
grep -q "there is no interface late0" "$work/err" || fail "no word of it: $(cat "$work/err")"
filtered() { fw status | grep -q "^$1 ingress: "; }
filtered fw0 || fail "the interface that is there is not filtered: $(fw status)"
grep -q '^Wants=fwctl-watch.service$' "$unit" || fail "the unit does not ask for watch"
# shellcheck disable=SC2046
start_right "$stage/usr/sbin/fwctl" --pin-dir "$pins" $(sed -n 's,^ExecStart=/usr/sbin/fwctl,,p' \
    "$stage/usr/lib/systemd/system/fwctl-watch.service")
ip -n "$right" link add late0 type veth peer name late1
wait_for 10 fw status || fail "what appeared is not filtered: $(fw status)"
filtered late0 || fail "status: $(fw status)"
kill "$started" && wait "$started"
children=()
staged ExecReload 2>/dev/null || fail "ExecReload with both"

staged ExecStop 2>/dev/null || fail "ExecStop"

if command -v systemd-analyze >/dev/null; then
    mkdir -p "$work/units"
    for unit in "$stage"/usr/lib/systemd/system/*.service; do
        sed "s,=\(-*\)/usr/sbin/fwctl,=\1$stage/usr/sbin/fwctl," "$unit" >"$work/units/$(basename "$unit")"
    done
    # Only what is said of our unit counts; a man page of ours is not installed on this host.
    systemd-analyze verify --man=no "$work"/units/*.service >"$work/out" 2>&1
    grep 'fwctl' "$work/out" && fail "systemd-analyze verify"
fi

make -s uninstall DESTDIR="$stage" PREFIX=/usr >/dev/null 2>&1 || fail "uninstall"
[ "$(find "$stage" -type f | sed "s,$stage,,")" = /etc/fwctl/fw.conf ] ||
    fail "uninstall left $(find "$stage" -type f)"
exit 0
