#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The recipe for fail2ban, with Debian's fail2ban: a source that fails to log in is cut off, and
# heard again when fail2ban says so.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
command -v fail2ban-server >/dev/null || skip "fail2ban is not installed"
netns_start
heard() { in_left ping -q -c 1 -W 1 $right_inet >/dev/null 2>&1; }
deaf() { ! heard; }

cat >"$work/fw.conf" <<END
interface fw0
set banned live size 1000 timeout 1h
option ban-set banned
ingress default pass {
    drop from @banned label banned
}
END
fw apply "$work/fw.conf" 2>/dev/null || fail "apply"

mkdir -p "$work/fail2ban/action.d" "$work/fail2ban/filter.d"
cp "$root/config/recipes/fail2ban-fwctl.conf" "$work/fail2ban/action.d/fwctl.conf"
cat >"$work/fail2ban/fail2ban.conf" <<END
[Definition]
loglevel = INFO
logtarget = $work/fail2ban.log
syslogsocket = auto
socket = $work/fail2ban.sock
pidfile = $work/fail2ban.pid
dbfile = None
dbpurgeage = 1d
END
cat >"$work/fail2ban/filter.d/door.conf" <<END
[Definition]
failregex = login failed from <HOST>$
datepattern = ^%%Y-%%m-%%d %%H:%%M:%%S
END
cat >"$work/fail2ban/jail.conf" <<END
[DEFAULT]
backend = polling
maxretry = 3
findtime = 600
bantime = 600
usedns = no
[door]
enabled = true
filter = door
logpath = $work/door.log
action = fwctl[fwctl="$fwctl --quiet --pin-dir $pins"]
END
: >"$work/door.log"
client() { in_right fail2ban-client -c "$work/fail2ban" -s "$work/fail2ban.sock" -p "$work/fail2ban.pid" "$@"; }
in_right fail2ban-server -f -c "$work/fail2ban" -s "$work/fail2ban.sock" -p "$work/fail2ban.pid" \
    start >"$work/server.out" 2>&1 &
children+=($!)
wait_for 30 client status door || fail "fail2ban does not start: $(cat "$work/server.out" "$work/fail2ban.log")"

heard || fail "not heard before"
for _ in 1 2 3; do
    echo "$(date '+%Y-%m-%d %H:%M:%S') door: login failed from $left_inet" >>"$work/door.log"
done
wait_for 30 deaf || fail "not banned: $(cat "$work/fail2ban.log")"
fw set list banned | grep -q "^$left_inet .*expires in \(9min\|10min\)" || fail "$(fw set list banned)"
[ "$(stat_of "rule('ingress', 'banned')")" -gt 0 ] || fail "the rule counted nothing"
client set door unbanip $left_inet >/dev/null || fail "unbanip"
wait_for 10 heard || fail "not heard after unbanip: $(cat "$work/fail2ban.log")"

# When fail2ban stops it takes its bans back.
client set door banip 2001:db8::1 >/dev/null || fail "banip"
wait_for 10 fw set test banned 2001:db8::1 || fail "an IPv6 address is not banned"
client stop >/dev/null || fail "stop"
fw set test banned 2001:db8::1 >/dev/null && fail "a ban outlives fail2ban"
# It logs as an error that somebody asks for a jail before it is there: that was wait_for.
! grep -E "ERROR|WARNING" "$work/fail2ban.log" | grep -v "dbfile\|pyinotify\|'allowipv6'\|UnknownJail" || fail "fail2ban complains"
exit 0
