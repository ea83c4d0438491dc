# SPDX-License-Identifier: GPL-2.0-only
"""Rows of results as tables: which columns, in which order, with what beside them."""


class Table:
    def __init__(self, title, columns):
        self.title, self.columns, self.rows = title, columns, []

    def add(self, name, values):
        self.rows.append([name] + [text(value) for value in values])

    def lines(self):
        rows = [self.columns] + self.rows
        widths = [max(len(str(row[i])) for row in rows) for i in range(len(self.columns))]

        def line(row):
            first, rest = str(row[0]).ljust(widths[0]), zip(row[1:], widths[1:])
            return "| " + " | ".join([first] + [str(value).rjust(width) for value, width in rest]) + " |"

        rule = "| " + " | ".join(["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]) + " |"
        return ([f"**{self.title}**", ""] if self.title else []) + \
            [line(self.columns), rule] + [line(row) for row in self.rows]


def text(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if abs(value) >= 10 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}"


def first(rows, **wanted):
    for row in rows:
        if all(row.get(key) == value for key, value in wanted.items()):
            return row
    return {}


def unique(values):
    return list(dict.fromkeys(values))


NAMES = {
    "fwctl": "fwctl", "plain-drop": "plain drop", "plain-pass": "no filter",
    "nft-linear": "nft, linear", "nft-hash": "nft, hash set",
    "nft-concat": "nft, interval set (address . port)",
    "nft-interval": "nft, interval set (addresses only)",
    "ipset": "iptables + ipset", "xdp-filter": "xdp-filter (addresses only)",
    "plain": "no filter", "fwctl-plain": "fwctl, stateless", "fwctl-state": "fwctl, keep state",
    "nft-plain": "nft, stateless", "nft-state": "nft, conntrack",
    "fwctl-live": "fwctl, live set", "fwctl-drop": "fwctl without a list, default drop",
    "fwctl-pass": "fwctl without a list", "trie": "LPM_TRIE in an XDP program",
}


def classify(rows):
    table = Table("", ["set", "rules", "form", "tuples", "floor", "hot", "trace", "shuffled", "random",
                       "image MB", "build ms", "switch ms", "wrong"])
    for row in rows:
        table.add(row["set"], [row["rules"], row["form"], row["tuples"] or None, row["floor_ns"],
                               row["hot_ns"], row["trace_ns"], row["shuffled_ns"], row["random_ns"],
                               row["image_bytes"] / 1e6, row["build_ms"], row["switch_ms"],
                               row["mismatches"]])
    if rows:
        verified = unique(row["verified_insns"] for row in rows)
        table.title = "ns; the verifier walks " + " or ".join(f"{n:,}" for n in verified) + \
            " instructions of the ingress program"
    return [table]


def over(rows, wanted, floor):
    """The least of the turns above the least of the floor's: noise only adds."""
    row, base = first(rows, **wanted), first(rows, **{**wanted, "link": floor})
    if "least_ns" not in row or "least_ns" not in base:
        return None
    return row["least_ns"] - base["least_ns"]


def traffic(rows):
    counts = unique(row["rules"] for row in rows)
    links = unique(row["link"] for row in rows)
    tables = []
    for verdict, packets in (("drop", "constant"), ("drop", "random"), ("pass", "constant"),
                             ("pass", "random")):
        floor = f"plain-{verdict}"
        sent = {"verdict": verdict, "packets": packets}
        base = [first(rows, rules=n, link=floor, **sent).get("least_ns") for n in counts]
        what = "one packet" if packets == "constant" else "random packets"
        table = Table(f"{verdict}, {what}: ns over {NAMES[floor]}", ["rules"] + [f"{n:,}" for n in counts])
        table.add(f"{NAMES[floor]}: ns in all", base)
        for link in links:
            if not link.startswith("plain-"):
                table.add(NAMES[link], [over(rows, {"rules": n, "link": link, **sent}, floor)
                                        for n in counts])
        tables.append(table)
    return tables


LISTS = {"hosts": "552,293 hosts", "prefixes": "1,000,000 prefixes",
         "both": "1,552,293 hosts and prefixes", "million": "1,000,000 hosts"}


def lists(rows):
    tables = []
    for case in unique(row["list"] for row in rows):
        of = [row for row in rows if row["list"] == case]
        table = Table(LISTS[case], ["ns over a plain program", "hits (dropped)", "misses (passed)",
                                    "load s", "memory MB"])
        for link in unique(row["link"] for row in of):
            if link.startswith("plain-"):
                continue
            loaded = next((row for row in of if row["link"] == link and "load_ms" in row), {})
            table.add(NAMES[link],
                      [over(of, {"link": link, "packets": "hits"}, "plain-drop"),
                       over(of, {"link": link, "packets": "misses"}, "plain-pass"),
                       f"{loaded['load_ms'] / 1000:.2f}" if loaded else None,
                       loaded["bytes"] / 1e6 if loaded else None])
        tables.append(table)
    return tables


def sets(rows):
    changes = Table("seconds", ["", "elements", "fwctl", "nft", "ipset"])
    lookups = Table("ns per lookup, 1,000,000 hosts, random addresses", ["", "hit", "miss"])
    packets = Table("ns a packet, hot, two rules of which the first may name sets", ["", "ingress", "egress"])
    for row in rows:
        if "sets" in row:
            packets.add(row["sets"], [row["ingress_ns"], row["egress_ns"]])
        elif "lookup" in row:
            lookups.add(row["lookup"], [row["hit_ns"], row["miss_ns"]])
        else:
            times = [row[key] for key in ("fwctl_s", "nft_s", "ipset_s")]
            changes.add(row["what"], [f"{row['elements']:,}"] +
                        [None if value is None else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"
                         for value in times])
    return [changes, lookups, packets]


def apply(rows):
    tables = []
    for what in unique(row["what"] for row in rows):
        of = [row for row in rows if row["what"] == what]
        table = Table(f"{what}: ms, whole process",
                      ["rules", "fwctl median", "least", "CPU", "nft median", "least", "CPU"])
        for count in unique(row["rules"] for row in of):
            values = []
            for program in ("fwctl", "nft"):
                row = first(of, rules=count, program=program)
                values += [row.get("ms"), row.get("least_ms"), row.get("cpu_ms")]
            table.add(f"{count:,}", values)
        tables.append(table)
    return tables


def state(rows):
    sizes = unique(row["flows"] for row in rows if "flows" in row)
    table = Table("ns a packet over no filter; packets of recorded flows at random, and first packets",
                  ["flows recorded"] + [f"{size:,}" for size in sizes] + ["new flow each", "new a second"])
    for link in ("fwctl-plain", "fwctl-state", "nft-plain", "nft-state"):
        new = first(rows, new=True, link=link).get("least_ns")
        table.add(NAMES[link], [over(rows, {"flows": size, "link": link}, "plain") for size in sizes] +
                  [over(rows, {"new": True, "link": link}, "plain"),
                   f"{1e9 / new:,.0f}" if new and link.endswith("state") else None])
    return [table]


TABLES = {"classify": classify, "ingress": traffic, "egress": traffic, "lists": lists,
          "sets": sets, "apply": apply, "state": state}
