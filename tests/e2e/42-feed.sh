#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The recipe that fetches a list by a timer: what its service runs, with the real curl and a web
# server, and what it does with lists that are broken.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
command -v curl >/dev/null || skip "curl is not installed"
netns_start
unit=$root/config/recipes/fwctl-feed@.service

printf 'interface fw0\nset feed live size 10000\ningress default pass {\n    drop from @feed\n}\n' >"$work/fw.conf"
fw apply "$work/fw.conf" 2>/dev/null || fail "apply"
mkdir "$work/web" "$work/state"
in_right /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$work/web" 8080 >/dev/null 2>&1 &
children+=($!)
wait_for 10 in_right curl -s http://127.0.0.1:8080/ || fail "no web server"

# The service's commands in turn; the first that fails ends it, as systemd does.
service() {
    local line
    while read -r line; do
        line=${line//%i/feed}
        line=${line//\/var\/lib\/fwctl-feed/$work\/state}
        line=${line//\$\{URL\}/http:\/\/127.0.0.1:8080\/list}
        line=${line/\/usr\/local\/sbin\/fwctl/$fwctl --pin-dir $pins}
        # shellcheck disable=SC2086
        in_right $line 2>"$work/err" || return 1
    done < <(sed -n 's/^ExecStart=//p' "$unit")
}
count() { fw set list feed | wc -l; }

service && fail "a list that is not there"
seq -f '198.51.100.%g' 1 100 >"$work/web/list"
service || fail "$(cat "$work/err")"
[ "$(count)" = 100 ] || fail "fetched $(count)"
echo "<html>sorry</html>" >"$work/web/list"
service && fail "a page instead of a list"
[ "$(count)" = 100 ] || fail "a page changed the set"
head -n 20 <(seq -f '198.51.100.%g' 1 100) >"$work/web/list"
service && fail "a list that is cut off"
[ "$(count)" = 100 ] || fail "a list that is cut off was used"
seq -f '198.51.100.%g' 2 101 >"$work/web/list"
service || fail "$(cat "$work/err")"
fw set test feed 198.51.100.101 >/dev/null || fail "the new list is not in the set"

if command -v systemd-analyze >/dev/null; then
    mkdir "$work/units"
    for file in fwctl-feed@.service fwctl-feed@.timer; do
        sed "s,/usr/local/sbin/fwctl,$fwctl,; /fwctl.service/d" "$root/config/recipes/$file" \
            >"$work/units/${file/@/@feed}"
    done
    systemd-analyze verify --man=no "$work/units/fwctl-feed@feed.timer" \
        "$work/units/fwctl-feed@feed.service" >"$work/out" 2>&1
    grep 'fwctl-feed' "$work/out" && fail "systemd-analyze verify"
fi
exit 0
