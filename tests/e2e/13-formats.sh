#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What programs read: JSON in the shape that is promised, and Prometheus' text format.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
netns_start

cat >"$work/fw.conf" <<'RULES'
interface fw0
set banned live size 2 { 203.0.113.7 }

ingress default drop {
    count inet label v4
    pass icmp type echo-request label ping
    pass on "fw*" udp to port 7
}

egress default pass {
}
RULES
fw -q apply "$work/fw.conf" || fail "apply"
fw -q add ingress drop tcp to port 23 label gone || fail "add"
in_left ping -q -c 4 -i 0.01 $right_inet >/dev/null || fail "no ping"
in_left bash -c "echo >/dev/tcp/$right_inet/23" 2>/dev/null &
wait_for 5 sh -c "[ \"\$(nsenter --net=/run/netns/$right $fwctl --pin-dir $pins stats --json |
    grep -c '\"packets\": [1-9]')\" -ge 5 ]" || fail "nothing was counted: $(fw stats)"
kill $! 2>/dev/null
fw -q delete gone || fail "delete"

fw -q set add banned 203.0.113.8 203.0.113.9 2>/dev/null && fail "a full set takes more"

fw stats --json >"$work/stats.json" || fail "stats --json"
fw list --json >"$work/list.json" || fail "list --json"
fw status --json >"$work/status.json" || fail "status --json"
fw stats --prometheus >"$work/stats.prom" || fail "stats --prometheus"

/usr/bin/python3 - "$work" <<'PYTHON' || exit 1
import json
import re
import sys

work = sys.argv[1]
stats = json.load(open(f"{work}/stats.json"))
listed = json.load(open(f"{work}/list.json"))
status = json.load(open(f"{work}/status.json"))


def check(condition, what):
    if not condition:
        sys.exit(f"FAIL: {what}")


# stats --json
for hook in "ingress", "egress":
    total = stats["hooks"][hook]
    lines = [r for r in stats["rules"] if r["hook"] == hook and r["action"] != "count"]
    lines += [r for r in stats["reasons"] if r["hook"] == hook]
    for key in "packets", "bytes":
        check(total[key] == sum(line[key] for line in lines), f"{hook} {key} do not add up")
    check(total["packets"] == total["pass"] + total["drop"], f"{hook}: pass and drop")
rules = {(r["hook"], r["label"] or r["rule"]): r for r in stats["rules"]}
ping = rules["ingress", "ping"]
check(ping == {"hook": "ingress", "label": "ping", "rule": "pass icmp type echo-request label ping",
               "action": "pass", "kind": "rule", "packets": 4, "bytes": 4 * 98,
               "by_action": {"pass": {"packets": 4, "bytes": 4 * 98}}}, f"ping: {ping}")
check(rules["ingress", "v4"]["packets"] >= 5, "the count rule did not go on counting")
check(rules["ingress", 'pass on "fw*" udp to port 7']["label"] is None, "a rule without a label")
check(rules["ingress", "default"]["rule"] == "default drop", "the default's line")
check(rules["ingress", "default"]["kind"] == "default", "the default's kind")
check(rules["ingress", "builtin:arp"]["kind"] == "builtin", "a built-in rule's kind")
check(rules["ingress", "gone"]["kind"] == "removed", "a removed rule's kind")
check(rules["ingress", "gone"]["packets"] >= 1, "a removed rule's packets")

# list --json and status --json
numbers = [(r["hook"], r["number"], r["kind"]) for r in listed["rules"] if r["kind"] == "rule"]
check(numbers == [("ingress", n, "rule") for n in (1, 2, 3)], f"numbers: {numbers}")
check(listed["hooks"] == {"ingress": {"default": "drop"}, "egress": {"default": "pass"}}, "hooks")
check(listed["interfaces"] == [{"name": "fw0", "pattern": False, "mode": "auto"}], "interfaces")
check(status["as_configured"] and not status["problems"], "status")
check(status["generation"] == listed["generation"] == stats["generation"] == 3, "generation")
check({a["hook"] for a in status["attachments"]} == {"ingress", "egress"}, "attachments")

# The text exposition format, 0.0.4: HELP and TYPE once and before the samples, families in one
# piece, labels escaped, no series twice.
name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
sample = re.compile(rf"({name})(?:\{{({label}(?:,{label})*)\}})? (\d+)")
kinds, samples, family = {}, {}, None
text = open(f"{work}/stats.prom").read()
check(text.endswith("\n"), "no newline at the end")
for line in text.splitlines():
    if line.startswith("# HELP "):
        family = line.split()[2]
        check(family not in kinds, f"{family} comes in pieces")
        kinds[family] = None
    elif line.startswith("# TYPE "):
        check(line.split()[2] == family and kinds[family] is None, f"TYPE: {line}")
        kinds[family] = line.split()[3]
    else:
        match = sample.fullmatch(line)
        check(match and match[1] == family and kinds[family], f"not a sample: {line}")
        key = match[1], match[2]
        check(key not in samples, f"{key} twice")
        samples[key] = int(match[3])
for family, kind in kinds.items():
    check((kind == "counter") == family.endswith("_total"), f"{family} is a {kind}")
check(set(kinds) >= {"fwctl_rule_packets_total", "fwctl_rule_bytes_total",
                     "fwctl_reason_packets_total", "fwctl_hook_packets_total", "fwctl_rules",
                     "fwctl_generation", "fwctl_interface_attached", "fwctl_set_elements",
                     "fwctl_set_size", "fwctl_set_refused_total"}, f"families: {set(kinds)}")
check(samples["fwctl_rule_packets_total", 'hook="ingress",rule="ping",action="pass"'] == 4, "ping")
check(('fwctl_rule_packets_total',
       r'hook="ingress",rule="pass on \"fw*\" udp to port 7",action="pass"') in samples, "escaping")
check(samples["fwctl_generation", None] == 3, "fwctl_generation")
check(samples["fwctl_rules", None] == len(listed["rules"]), "fwctl_rules")
check(samples["fwctl_hook_packets_total", 'hook="ingress",verdict="drop"'] ==
      stats["hooks"]["ingress"]["drop"], "fwctl_hook_packets_total")
for attached in status["attachments"]:
    labels = f'interface="fw0",hook="{attached["hook"]}",mode="{attached["mode"]}"'
    check(samples["fwctl_interface_attached", labels] == 1, f"fwctl_interface_attached {labels}")
for metric, value in ("elements", 2), ("size", 2), ("refused_total", 1):
    check(samples[f"fwctl_set_{metric}", 'set="banned"'] == value, f"fwctl_set_{metric}")
PYTHON

# A rule and a default whose action changes: what was counted stays under the action of then.
sed -e 's/pass icmp type/drop icmp type/' -e 's/ingress default drop/ingress default pass/' \
    "$work/fw.conf" >"$work/changed.conf"
in_left bash -c "echo >/dev/udp/$right_inet/9"
wait_for 5 sh -c "nsenter --net=/run/netns/$right $fwctl --pin-dir $pins stats --prometheus |
    grep -q 'packets_total{hook=\"ingress\",rule=\"default\",action=\"drop\"} [1-9]'" ||
    fail "the default dropped nothing: $(fw stats)"
fw -q apply "$work/changed.conf" || fail "apply with other actions"
fw stats --prometheus >"$work/unused.prom" || fail "stats --prometheus"
in_left ping -q -c 3 -i 0.01 -W 1 $right_inet >/dev/null && fail "the ping passed"
fw stats --json >"$work/changed.json" || fail "stats --json"
fw stats --prometheus >"$work/changed.prom" || fail "stats --prometheus"

/usr/bin/python3 - "$work" <<'PYTHON' || exit 1
import json
import re
import sys

work = sys.argv[1]


def check(condition, what):
    if not condition:
        sys.exit(f"FAIL: {what}")


def series(name):
    found = {}
    for line in open(f"{work}/{name}.prom"):
        match = re.fullmatch(r"fwctl_rule_(packets|bytes)_total(\{.*\}) (\d+)\n", line)
        if match:
            check((match[1], match[2]) not in found, f"twice in {name}: {line}")
            found[match[1], match[2]] = int(match[3])
    return found


def of_ping(action):
    return "packets", f'{{hook="ingress",rule="ping",action="{action}"}}'


before, unused, after = series("stats"), series("unused"), series("changed")
check(before[of_ping("pass")] == unused[of_ping("pass")] == after[of_ping("pass")] == 4,
      f"pings that passed: {after}")
check(of_ping("drop") not in before, "a series of an action that never was")
check(unused[of_ping("drop")] == 0 and after[of_ping("drop")] == 3, f"dropped pings: {after}")
for key in before:
    check(after.get(key, 0) >= before[key] or not before[key], f"{key} went back")
for name in unused:
    check(after[name] >= unused[name], f"{name} went back")
stats = json.load(open(f"{work}/changed.json"))
ping = [r for r in stats["rules"] if r["label"] == "ping"]
check(len(ping) == 1 and ping[0]["action"] == "drop" and ping[0]["packets"] == 7 and
      ping[0]["by_action"] == {"pass": {"packets": 4, "bytes": 4 * 98},
                               "drop": {"packets": 3, "bytes": 3 * 98}}, f"ping: {ping}")
for rule in stats["rules"]:
    for key in "packets", "bytes":
        check(rule[key] == sum(part[key] for part in rule["by_action"].values()),
              f"{key} by action do not add up: {rule}")
default = [r for r in stats["rules"] if r["hook"] == "ingress" and r["rule"] == "default pass"]
check(default[0]["by_action"]["drop"]["packets"] >= 1 and "pass" in default[0]["by_action"],
      f"default: {default}")
for hook, total in stats["hooks"].items():
    for verdict in "pass", "drop":
        decided = sum(r["by_action"].get(verdict, {"packets": 0})["packets"]
                      for r in stats["rules"] if r["hook"] == hook)
        reasons = sum(r["packets"] for r in stats["reasons"] if r["hook"] == hook)
        check(decided <= total[verdict] <= decided + reasons, f"{hook} {verdict}: {decided}")
PYTHON

# An interface that is declared and lost is 0 and does not disappear.
ip -n "$right" link del fw0 || fail "cannot take fw0 away"
for hook in ingress egress; do
    wait_for 5 sh -c "nsenter --net=/run/netns/$right $fwctl --pin-dir $pins stats --prometheus |
        grep -qxF 'fwctl_interface_attached{interface=\"fw0\",hook=\"$hook\",mode=\"none\"} 0'" ||
        fail "a lost interface: $(fw stats --prometheus | grep interface_attached)"
done
fw stats --prometheus | grep -q 'interface_attached.* 1$' && fail "fw0 is gone, but attached"
exit 0
