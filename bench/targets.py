# SPDX-License-Identifier: GPL-2.0-only
"""What the project wants to reach, beside what was measured."""
from tables import Table, first, over, unique


def worst(rows, value, wanted=lambda row: True):
    """The largest, and of which set."""
    values = [(value(row), row["set"]) for row in rows if wanted(row)]
    return max(values) if values else None


def of_size(least, most):
    """Of ClassBench in IPv4; IPv6 is compared with it."""
    return lambda row: least <= row["rules"] <= most and \
        "list" not in row["set"] and not row["set"].endswith("_inet6")


def classify(rows, add):
    small, middle, large = of_size(0, 1100), of_size(5000, 11000), of_size(50000, 110000)
    hot = lambda row: row["hot_ns"] / row["floor_ns"]
    add("up to 1,000 rules, hot, over the floor", 1.8, worst(rows, hot, small), "x")
    add("10,000 rules, hot, over the floor", 2.5, worst(rows, hot, middle), "x")
    add("10,000 rules, trace", 70, worst(rows, lambda row: row["trace_ns"], middle), "ns")
    add("10,000 rules, shuffled", 120, worst(rows, lambda row: row["shuffled_ns"], middle), "ns")
    add("100,000 rules, trace", 180, worst(rows, lambda row: row["trace_ns"], large), "ns")
    add("100,000 rules, shuffled", 220, worst(rows, lambda row: row["shuffled_ns"], large), "ns")
    add("100,000 rules, image", 32, worst(rows, lambda row: row["image_bytes"] / 1e6, large), "MB")
    for kind in ("hot_ns", "trace_ns", "shuffled_ns"):
        six = [(row[kind] / first(rows, set=row["set"][:-6])[kind], row["set"]) for row in rows
               if row["set"].endswith("_inet6") and first(rows, set=row["set"][:-6])]
        add(f"IPv6 over IPv4, {kind[:-3]}", 1.4, max(six) if six else None, "x")
    none, full = first(rows, set="list_none"), first(rows, set="list_routes")
    if none and full:
        add("1.4 M prefixes, random, over no list", 10, full["random_ns"] - none["random_ns"], "ns")
        add("1.4 M prefixes, hits, over no list", 25, full["trace_ns"] - none["trace_ns"], "ns")
        add("1.4 M prefixes, image", 24, full["image_bytes"] / 1e6, "MB")
        add("1.4 M prefixes, built in", 300, full["build_ms"], "ms")


def ingress(rows, add):
    for packets in ("constant", "random"):
        wanted = {"rules": 10000, "verdict": "drop", "packets": packets}
        links = {row["link"] for row in rows if row.get("packets") and row["link"] != "plain-drop"}
        costs = {link: over(rows, {**wanted, "link": link}, "plain-drop") for link in links}
        # What filters by the address alone does not express these rules.
        peers = [cost for link, cost in costs.items()
                 if cost and link not in ("fwctl", "xdp-filter", "nft-interval")]
        what = f"live drop at 10,000 rules, {'one packet' if packets == 'constant' else packets}"
        add(f"{what}, over XDP_DROP", 50, costs.get("fwctl"), "ns")
        add(f"{what}, and below every peer", min(peers, default=None), costs.get("fwctl"), "ns")


def apply(rows, add):
    for what, count, most in (("apply", 10000, 60), ("apply", 100000, 600), ("add one", 10000, 40)):
        add(f"{what}, {count:,} rules, whole process", most,
            first(rows, what=what, rules=count, program="fwctl").get("ms"), "ms")


def sets(rows, add):
    def speed(what):
        row = first(rows, what=what)
        return row["elements"] / row["fwctl_s"] if row.get("fwctl_s") else None

    add("live set: hosts added in a second", 500000, speed("add hosts"), "more")
    add("live set: prefixes added in a second", 200000, speed("add prefixes"), "more")
    one = first(rows, what="one host, a process").get("fwctl_s")
    add("live set: one host added, whole process", 3, one and one * 1000, "ms")
    add("live set: 552,293 replaced, 1 % differs", 1000,
        (first(rows, what="replace it, 1 % differs").get("fwctl_s") or 0) * 1000 or None, "ms")
    for kind in ("hit_ns", "miss_ns"):
        add(f"live set of 1,000,000, {kind[:-3]}, beside the kernel's hash",
            first(rows, lookup="kernel hash").get(kind), first(rows, lookup="live set").get(kind), "ns")
    add("a packet under an empty set, beside no set", first(rows, sets="no set").get("ingress_ns"),
        first(rows, sets="an empty set").get("ingress_ns"), "ns")


def state(rows, add):
    def above(link, **wanted):
        return over(rows, {**wanted, "link": f"{link}-state"}, f"{link}-plain")

    for size in unique(row["flows"] for row in rows if "flows" in row):
        add(f"state: a packet of one of {size:,} flows, over stateless; conntrack's", above("nft", flows=size),
            above("fwctl", flows=size), "ns")
    ours, theirs = above("fwctl", new=True), above("nft", new=True)
    add("state: a new flow costs conntrack, % of ours", 500, ours and theirs and 100 * theirs / ours, "more")


def targets(results):
    table = Table("", ["", "at most", "measured", "worst at", "met"])

    def add(what, most, value, unit):
        value, where = value if isinstance(value, tuple) else (value, "")
        if value is None:
            return
        at_least = unit == "more"
        met = None if most is None else value >= most if at_least else value <= most
        digits = 2 if unit == "x" else 0

        def show(number):
            if number is None:
                return "-"
            return f"{'at least ' if at_least and number == most else ''}{number:,.{digits}f}" + \
                ("" if at_least else f" {unit}")

        table.add(what, [show(most), show(value), where, {None: "-", True: "yes", False: "**no**"}[met]])

    for name, of in (("classify", classify), ("ingress", ingress), ("apply", apply), ("sets", sets), ("state", state)):
        if results.get(name):
            of(results[name]["rows"], add)
    return table
