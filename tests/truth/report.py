#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Results: "ok - ..." lines for the test runner, and a table.

    report.py FILE... writes the table of what truth printed with --table (lines that begin
    with "row" and a tab) as Markdown to standard output.
"""
import collections
import json
import sys

failures = 0
table = False
host = ""
allowed = {}  # stage: how many rows may be missing, because the tool counted them
hidden = 0  # how many packets came in where this kernel may keep programs from running
blind = {}  # stage: how many calls ftrace says it missed itself
missing_of = collections.Counter()  # by stage and witness
out_of_reach = 0  # rows missing where the tool has to have counted exactly so many


def result(good, name, detail=""):
    global failures
    failures += not good
    print(("ok - " if good else "not ok - ") + (host + ": " if host else "") + name, flush=True)
    if not good and detail:
        print("\n".join("#   " + l for l in detail.splitlines()[:40]), flush=True)


def skipped(name, why):
    print(f"skip - {host + ': ' if host else ''}{name} # {why}", flush=True)


def row(case, stage, expected, seen, missing, extra, witness, note=""):
    if table:
        print("row\t" + json.dumps([host, case, stage, expected, seen, missing, extra, witness, note]),
              flush=True)


def same(case, stage, want, have, witness, maybe_out_of_reach=False):
    """Two multisets; both may be empty."""
    global out_of_reach
    missing, extra = want - have, have - want
    counted, why = missing.total() <= allowed.get(stage, 0), ""
    if missing and counted:
        why = "the tool counted the missing as lost or missed"
    elif missing and maybe_out_of_reach:
        counted, why = True, "the tool counted the missing as headers out of reach"
        out_of_reach += missing.total()
    elif missing and missing.total() <= hidden:
        counted, why = True, "came in on top of the first process, where BPF may not run"
    missing_of[stage, witness] += missing.total()
    unwitnessed = witness == "ftrace" and extra.total() <= blind.get(stage, 0)
    if extra and unwitnessed:
        why += f"{'; ' if why else ''}ftrace says that it missed {blind[stage]} calls itself"
    row(case, stage, want.total(), have.total(), missing.total(), extra.total(), witness, why)
    detail = "".join(f"missing {n} x {k}\n" for k, n in missing.items())
    detail += "".join(f"extra {n} x {k}\n" for k, n in extra.items())
    result(counted and (not extra or unwitnessed),
           f"{case}: {stage}: {want.total()} by {witness}, {have.total()} seen", detail)


# --- the document --------------------------------------------------------------------

STAGES = ["netif_receive_skb", "ip_rcv_finish", "tcp_v4_do_rcv", "tcp_queue_rcv",
          "sock_def_readable"]


def read(files):
    rows = []
    for file in files:
        with open(file, encoding="utf-8") as f:
            rows += [json.loads(l.split("\t", 1)[1]) for l in f if l.startswith("row\t")]
    return rows


def summed(rows):
    """expected, seen, missing, extra of several rows."""
    return [sum(r[i] for r in rows) for i in (3, 4, 5, 6)]


def cell(rows):
    """All rows of one case and one stage: each witness expects something of its own."""
    if not rows:
        return ""
    worst = max(rows, key=lambda r: (r[5] + r[6], r[3]))
    text = str(worst[3])
    if worst[5] or worst[6]:
        text = f"{worst[4]} of {worst[3]}, {worst[5]} missing, {worst[6]} extra"
    return text


def order(rows, place):
    return list(dict.fromkeys(r[place] for r in rows))


def write_summary(rows):
    print("| host | stage | witness | expected | seen | missing | extra | why |")
    print("|---|---|---|---:|---:|---:|---:|---|")
    for name in order(rows, 0):
        for stage in STAGES:
            mine = [r for r in rows if r[0] == name and r[2] == stage]
            for witness in order(mine, 7):
                its = [r for r in mine if r[7] == witness]
                why = "; ".join(n for n in order([r for r in its if r[5] or r[6]], 8) if n)
                print(f"| {name} | {stage} | {witness} | " +
                      " | ".join(map(str, summed(its))) + f" | {why} |")


def write_host(rows, name):
    print(f"\n### {name}\n")
    print("| case | " + " | ".join(STAGES) + " | why |")
    print("|---|" + "---:|" * len(STAGES) + "---|")
    mine = [r for r in rows if r[0] == name]
    for case in order(mine, 1):
        of_case = [r for r in mine if r[1] == case]
        cells = [cell([r for r in of_case if r[2] == s]) for s in STAGES]
        notes = "; ".join(n for n in order(of_case, 8) if n)
        print(f"| {case} | " + " | ".join(cells) + f" | {notes} |")


def main():
    rows = read(sys.argv[1:])
    write_summary(rows)
    print("\n## Case by case\n")
    print("A number alone: so many were expected, and exactly those were seen. Empty: this\n"
          "stage has no hook on that host, or there is no witness for it in that case.")
    for name in order(rows, 0):
        write_host(rows, name)


if __name__ == "__main__":
    main()
