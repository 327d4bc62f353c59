# SPDX-License-Identifier: MIT
"""docs/benchmarks.md, from what bench.py measured."""
import os
import statistics

NO = "not measured"


def percent(v):
    return f"{100 * v:.1f} %"


def spread(values, show):
    """median (smallest .. largest)"""
    if not values:
        return NO
    return f"{show(statistics.median(values))} ({show(min(values))} .. {show(max(values))})"


def median(values):
    return statistics.median(values) if values else None


def us(v):
    return f"{v:.2f} us"


def ms(v):
    return f"{1000 * v:.1f} ms"


def seconds(v):
    return f"{v:.3f} s"


def thousands(v):
    return f"{v:,.0f}"


def table(heads, rows):
    def line(cells):
        return "| " + " | ".join(str(c) for c in cells) + " |\n"

    return line(heads) + "|" + "---|" * len(heads) + "\n" + "".join(map(line, rows)) + "\n"


# --- what the figures say ------------------------------------------------------------


def kept(data, section, key):
    return [m["kept"] for m in data.get(section, ({}, []))[0].get(key, [])]


def cpu_per_row(measurements):
    return [m["cpu_ns"] / 1000 / m["rows"] for m in measurements if m["rows"] > 100]


def runs(data, key):
    """Every round-trip run of a tool."""
    return [m for s in ("rtt1", "rtt2", "rtt8") for m in data.get(s, ({}, []))[0].get(key, [])]


def highest(data, key):
    """The runs of the load at which the tool wrote most rows."""
    best = []
    for s in ("rtt1", "rtt2", "rtt8"):
        v = data.get(s, ({}, []))[0].get(key, [])
        if v and (not best or median([m["rows"] for m in v]) > median([m["rows"] for m in best])):
            best = v
    return best


def all_lost(data):
    """LOST of every run in which every row was asked for."""
    v = [m["books"]["lost"] for s in ("rtt1", "rtt2", "rtt8", "bulk", "storm", "modes")
         for key in ("all", "shared")
         for m in data.get(s, ({}, []))[0].get(key, []) if m["books"]]
    return v + [m["books"]["lost"] for got, _ in data.get("flows", {}).values()
                for m in got["all"] if m["books"]]


def bar(what, wanted, value, reached, shown, floor=""):
    """One line of the table of bars; value None: not measured."""
    if value is None:
        return [what, wanted, NO, floor, "?"]
    return [what, wanted, shown, floor, "yes" if reached(value) else "**no**"]


def bars(data):
    start = data.get("start", {})
    rows = []

    def least(what, wanted, values, limit, show, floor=""):
        rows.append(bar(what, wanted, median(values), lambda v: v >= limit, spread(values, show),
                        floor))

    def most(what, wanted, values, limit, show):
        rows.append(bar(what, wanted, median(values), lambda v: v <= limit, spread(values, show)))

    for what, key, limit, floor in (
            ("round trips kept (2 connections), every row to a file, no rate limit", "all", 0.90,
             "ring"),
            ("... with --buffer=shared", "shared", 0.90, "clock"),
            ("round trips kept, default settings (10000 rows/s)", "default", 0.96, "nothing"),
            ("round trips kept, a filter that matches nothing", "filter", 0.97, "nothing"),
            ("round trips kept, -s", "stats", 0.97, "nothing")):
        least(what, f">= {100 * limit:.0f} %", kept(data, "rtt2", key), limit, percent,
              spread(kept(data, "rtt2", floor), percent))
    top = highest(data, "all")
    most(f"CPU of the tool per row written, at {rows_per_second(top)}", "<= 0.35 us",
         cpu_per_row(top), 0.35, us)
    python = median(cpu_per_row(highest(data, "bcc")))
    mine = median(cpu_per_row(top))
    ratio = mine / python if python and mine else None
    rows.append(bar("CPU per row, of the Python program's", "<= 1/20", ratio, lambda v: v <= 1 / 20,
                    f"1/{1 / ratio:.1f} ({python:.2f} us)" if ratio else ""))
    lost = all_lost(data)
    rows.append(bar(f"rows lost, in {len(lost)} runs with every row at full load", "0",
                    sum(lost) if lost else None, lambda v: v == 0, sum(lost)))
    least("events to rows of the table, one processor", ">= 5 million/s",
          data.get("render", []), 5e6, lambda v: f"{v / 1e6:.2f} million/s")
    most("exec to attached, BTF, cold", "<= 0.20 s", start.get("btf cold", []), 0.20, seconds)
    most("installed headers, cold (`--check`)", "<= 1.0 s", start.get("check", []), 1.0, seconds)
    check, compiled = median(start.get("check")), median(start.get("bcc compile"))
    ratio = check / compiled if check and compiled else None
    rows.append(bar("the same, of the Python program's compile with these headers", "<= 2/3", ratio,
                    lambda v: v <= 2 / 3,
                    f"{ratio:.2f} ({compiled:.3f} s)" if ratio else ""))
    most("saved to the first row of a reloaded program, BTF, cold", "<= 0.40 s",
         [m["first"] for m in data.get("reload", {}).get("cold", [])], 0.40, seconds)
    most("exec to attached, BTF, warm", "<= 0.02 s", start.get("btf warm", []), 0.02, seconds)
    most("exec to attached, installed headers, warm", "<= 0.02 s",
         start.get("installed warm", []), 0.02, seconds)
    idle = next((i for i in data.get("idle", []) if i[0].key == "default"), None)
    rows.append(bar("resident memory after start, without rings", "<= 8 MB",
                    idle and idle[1][0] / 1024, lambda v: v <= 8,
                    f"{idle[1][0] / 1024:.1f} MB" if idle else ""))
    rows.append(bar("CPU on an idle host", "< 0.1 % of a core", idle and idle[2] / idle[3],
                    lambda v: v < 0.001, f"{100 * idle[2] / idle[3]:.3f} %" if idle else ""))
    late = next((v for t, v in data.get("latency", {}).values() if t.key == "all"), [])
    rows.append(bar("a row on an idle host appears within", "50 ms", max(late, default=None),
                    lambda v: v <= 0.05, f"{ms(max(late))} at worst" if late else ""))
    return rows


def rows_per_second(measurements):
    # the load runs for 1.1 s, warm-up included
    rate = median([m["rows"] / 1.1 for m in measurements])
    return f"{rate:,.0f} rows/s" if rate else "the highest rate"


# --- the parts of the document -------------------------------------------------------


def load_table(data, section, unit, scale=1):
    got, base = data.get(section, ({}, []))
    if not base:
        return f"{NO.capitalize()}.\n\n"
    rows = [["untraced", spread([b / scale for b in base], thousands), "", "", "", ""]]
    for key, v in got.items():
        if not v:
            continue
        lost = [m["books"]["lost"] for m in v if m["books"] and key != "stats"]
        written = ""
        if not v[0]["books"]:
            written = spread([m["rows"] / max(1, m["segments"]) for m in v], percent)
        rows.append([data["names"].get(key, key),
                     spread([m["rate"] / scale for m in v], thousands),
                     spread([m["kept"] for m in v], percent),
                     "-" if key == "stats" else thousands(median([m["rows"] for m in v])),
                     spread(cpu_per_row(v), us) if cpu_per_row(v) else "-",
                     f"{sum(lost)} lost" if lost else written])
    heads = ["", unit, "kept", "rows a run", "CPU per row", "lost, or rows of segments"]
    return table(heads, rows)


def part_loads(data):
    text = "## Load\n\n"
    text += """\
"Kept" is the rate under the tool in parts of the mean of the untraced runs before and after
it. "CPU per row" is user and system time of the tool's process, between attached and the last
row, by the rows written; what its probes cost in the kernel shows in "kept".
"Lost" is from our closing table; for the others the rows written in percent of the TCP
segments that the kernel counted (one row for each would be 100 %).

"""
    for section, what, unit, scale in (
            ("rtt2", "One-byte round trips, 2 connections", "round trips/s", 1),
            ("rtt1", "1 connection", "round trips/s", 1),
            ("rtt8", "8 connections", "round trips/s", 1),
            ("modes", "2 connections, threads not pinned (the scheduler's modes show)",
             "round trips/s", 1),
            ("bulk", "Bulk over veth between two network namespaces", "MB/s", 1e6),
            ("storm", "Connection storm", "connections/s", 1)):
        text += f"### {what}\n\n" + load_table(data, section, unit, scale)
    return text


def part_filters(data):
    rows = []
    for tool, figures in data.get("filters", []):
        rows.append([tool.name] + [cell for insns, ns in figures
                                   for cell in (thousands(insns), f"{ns:.0f}")])
    return ("## Filters and columns, per hit\n\nThe same count, with what is asked: filters that match "
            "nothing, so that nothing is sent, and\nrows with columns. Instructions are those "
            "that the verifier leaves, with helper calls inlined.\n\n" +
            (table(["", "instructions at netif_receive_skb", "ns per hit there",
                    "instructions of all programs", "ns per hit, mean"], rows) if rows
             else NO + "\n\n"))


def part_hits(data):
    rows = [[t.name, "(no name)" if name == "?" else f"`{name}`", thousands(calls), f"{ns:.0f}"]
            for t, name, calls, ns in data.get("hits", [])]
    return ("## Each program, per hit\n\nThe kernel's own count (run_time_ns by run_cnt, "
            "`bpftool prog show`) under 2 connections. Counting\ncosts some 20 to 50 ns a hit, "
            "which is in the figure.\n\n" +
            (table(["", "program", "hits", "ns per hit"], rows) if rows else NO + "\n\n"))


def part_start(data):
    start = data.get("start", {})
    names = {"btf cold": "ours: exec to attached, BTF, cold",
             "btf warm": "ours: exec to attached, BTF, warm",
             "installed cold": "ours: exec to attached, installed headers, cold",
             "installed warm": "ours: exec to attached, installed headers, warm",
             "check": "ours: `--check --headers installed`, cold, whole process",
             "bcc check": "BCC in Python: five kprobes compiled, whole process",
             "bcc compile": "BCC in Python: the compile alone"}
    rows = [[names[k], len(v), spread(v, seconds)] for k, v in start.items() if v]
    if not rows:
        return "## Start\n\n" + NO + "\n\n"
    return "## Start\n\n" + table(["", "runs", "seconds"], rows)


def part_reload(data):
    got = data.get("reload", {})
    rows = []
    for what, key in (("compile", "compile"), ("load", "load"), ("attach", "attach"),
                      ("saved to the first row of the new program", "first"),
                      ("longest time between two rows, from the save on", "gap"),
                      ("the same before the save", "quiet gap")):
        rows.append([what] + [spread([m[key] for m in got.get(k, [])], ms)
                              for k in ("cold", "warm")])
    text = "## Reload\n\n"
    if not got.get("cold"):
        return text + f"{NO.capitalize()}.\n\n"
    lost = sum(m["lost"] for v in got.values() for m in v)
    text += ("`--watch`, every row, 1 connection: a probe file with a stage of its own is saved in "
             "the middle of\na run. Warm: the same text was compiled before.\n\n")
    return text + table(["", "cold", "warm"], rows) + (
        f"Rows lost in {sum(len(v) for v in got.values())} reloads: {lost}.\n\n")


def part_asked(data):
    got = data.get("commands", {})
    if not got.get("cold"):
        return ""
    rows = [[what] + [spread([m[key] for m in got[k]], ms) for k in ("cold", "warm")]
            for what, key in (("compile", "compile"), ("load", "load"),
                              ("command to the first row of the new program", "first"))]
    lost = sum(m["lost"] for v in got.values() for m in v)
    return ("`-C`, every row, 1 connection: a command asks for another number of each packet.\n\n" +
            table(["", "cold", "warm"], rows) +
            f"Rows lost in {sum(len(v) for v in got.values())} exchanges: {lost}.\n\n")


def part_idle(data):
    idle = data.get("idle", [])
    text = "## Memory, and an idle host\n\n"
    if idle:
        text += table(
            ["", "resident, without rings", "rings", "CPU of a core"],
            [[t.name if t.key != "default" else "linux_net_kernel", f"{m[0] / 1024:.1f} MB",
              f"{m[1] / 1024:.1f} MB", f"{100 * c / s:.3f} %"] for t, m, c, s in idle])
        text += (f"CPU over {idle[0][3]:.0f} s with all of them waiting; an hour is that, "
                 "extrapolated.\n\n")
    latency = data.get("latency", {})
    if latency:
        text += "From a packet to its row in a pipe, nothing else going on:\n\n"
        text += table(["", "samples", "time"],
                      [[name, len(v), spread(v, ms)] for name, (_, v) in latency.items()])
    return text


def part_scale(data):
    text = "## Scale\n\n"
    rows = []
    for key, what in (("stages1", "1"), ("stages3", "2"), ("all", "3")):
        v = data.get("rtt2", ({}, []))[0].get(key, [])
        rows.append([what, spread([m["kept"] for m in v], percent),
                     thousands(median([m["rows"] for m in v]) or 0)])
    text += "Hooks attached (of the list at the top), every row, 2 connections:\n\n"
    text += table(["hooks", "round trips kept", "rows a run"], rows)
    flows = data.get("flows", {})
    if flows:
        text += "Connections that the same two threads go round, every row:\n\n"
        text += table(["connections", "round trips kept", "CPU per row"],
                      [[n, spread([m["kept"] for m in got["all"]], percent),
                        spread(cpu_per_row(got["all"]), us)] for n, (got, _) in flows.items()])
    return text


def part_vm(data):
    text = ""
    vm = data.get("vm")
    if not vm:
        return f"{NO.capitalize()}: {data.get('vm_wrong') or 'no time was left'}.\n\n"
    text += (f"Linux {vm['kernel']}, one processor, QEMU without hardware acceleration: only "
             "ratios are worth\nsomething. Every row; round trips over loopback with 1 "
             "connection; misses during a bulk\ntransfer between two virtio cards, as calls of "
             "ip_local_deliver seen of the kernel's InDelivers.\n\n")
    rows = []
    for kind, k in vm["kinds"].items():
        h = {name: ns for name, ns in k.get("hits", [])}
        m = k.get("misses") or {}
        lost = (f"{m['delivered'] - m['seen']} of {m['delivered']}"
                if m.get("seen") is not None else NO)
        rows.append([kind, spread(k.get("kept", []), percent),
                     f"{sum(h.values()) / len(h):.0f}" if h else NO, lost, m.get("missed", "?")])
    text += table(["kind", "round trips kept", "ns per hit, mean of the programs",
                   "calls missed", "MISSED says"], rows)
    if vm["stages"]:
        text += "Stages asked for (`--probe-dir` with the others' files emptied):\n\n"
        text += table(["stages", "round trips kept"],
                      [[n, spread(v, percent)] for n, v in vm["stages"].items()])
    wrong = vm["wrong"] + ([data["vm_wrong"]] if data.get("vm_wrong") else [])
    return text + "".join(f"- {line}\n" for line in wrong) + ("\n" if wrong else "")


def part_not(data, bench, table_of_bars):
    text = "## Not reached, not measured\n\n"
    lines = []
    for what, wanted, measured, _, reached in table_of_bars:
        if reached == "**no**":
            lines.append(f"not reached: {what}: {measured}, wanted {wanted}")
        elif reached == "?":
            lines.append(f"not measured: {what}")
    lines += [f"{name}: left out: {why}" for name, why in bench.missing.items()]
    lines += [f"section {name}: no time was left" for name in data["cut"]]
    lines += bench.wrong
    if not any(name == "pwru" for name in bench.missing):
        lines.append("pwru: not compared: it needs kprobes, and no distribution packages it")
    return text + "".join(f"- {line}\n" for line in lines) + "\n"


def part_remarks():
    """What a person has to say of the figures: why a bar was missed, what a trick gained."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "remarks.md")
    try:
        with open(path, encoding="utf-8") as f:
            return "## Remarks\n\n" + f.read().strip("\n") + "\n\n"
    except OSError:
        return ""


def part_commands(data, bench):
    text = "## Commands\n\nEach with its rows in a file on tmpfs:\n\n"
    tools = {}
    for tool in data["tools"]:
        tools.setdefault(tool.shown, tool.name)
    text += "".join(f"    {shown:<66} # {name}\n" for shown, name in tools.items())
    text += """
DIR holds empty files in place of the other stages' probes. The loads:

    loadgen rtt -P -t 1.0 -c N [-f FLOWS]      # -P: both ends of a pair on one processor
    loadgen rtt -t 1.0 -c 2                    # not pinned
    loadgen bulk -t 1.0 -a ADDRESS -s NETNS
    loadgen storm -P -t 1.0 -c 2

"""
    if bench.foreign_headers:
        text += (f"Installed headers: of Linux {bench.foreign_headers}, which is not the running "
                 "kernel: they take its place\nfor the compile, and the BCC program is told "
                 "where this kernel's struct sk_buff differs.\n\n")
    return text


def document(bench, data, tools):
    data["tools"] = tools
    data["names"] = {t.key: f"ours, {t.name}" if t.argv[0] == bench.lnk else t.name
                     for t in data["tools"]}
    text = "# Benchmarks\n\n"
    text += ("kprobe and fentry, which this kernel may not have, are compared in\n"
             "[benchmarks-vm.md](benchmarks-vm.md).\n\n")
    text += (f"Written by `make bench` on {data['date']}, in {data['seconds']:.0f} s. "
             "Do not edit: run it again.\n\n")
    text += table(["", ""], data["machine"] + data["versions"] +
                  [("idle before the run", percent(data["idle_before"]))])
    if data["idle_before"] < 0.9:
        text += "**The machine was not idle when the run began: do not trust these figures.**\n\n"
    text += ("Runs are made in turn, round after round; figures are medians, in brackets the "
             "smallest and\nthe largest. Absolute times are this machine's only.\n\n")
    if data["hooks"]:
        text += "Hooks that this kernel has for the stages:\n\n"
        text += "".join(f"    {line}\n" for line in data["hooks"]) + "\n"
    table_of_bars = bars(data)
    text += "## The bars\n\n" + table(["what", "bar", "measured", "floor", "reached"], table_of_bars)
    text += ("Floor: what the same load keeps under programs at the same hooks that do nothing, with "
             "--buffer=shared\nunder such as only read the clock, and with the perf rings under such "
             "as read the clock and send an\nevent without a packet, of which no row is made.\n\n")
    text += part_not(data, bench, table_of_bars) + part_remarks()
    text += part_loads(data) + part_hits(data) + part_filters(data) + part_start(data)
    text += part_reload(data) + part_asked(data) + part_idle(data)
    text += part_scale(data) + part_commands(data, bench)
    return text.rstrip("\n") + "\n"


def document_vm(data):
    text = "# kprobe and fentry, in a virtual machine\n\n"
    text += (f"Written by `make bench-vm` on {data['date']}, in {data['seconds']:.0f} s. "
             "Do not edit: run it again.\n\n")
    text += table(["", ""], data["machine"] + data["versions"][:1] +
                  [("idle before the run", percent(data["idle_before"]))])
    return (text + part_vm(data)).rstrip("\n") + "\n"
