#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random expressions, and what they are worth by docs/expressions.md.

oracle.py COUNT DIRECTORY writes into the directory

    expressions   one a line
    want.h        the variables' values; each expression's value for each set of them;
                  and where C itself defines the value, which it then has to confirm
    raw.c         the expressions as they are, for the C compiler

An expression is made as a tree and its value worked out from that, so nothing here
parses; it is then written with no more brackets than C's precedence wants (sometimes
more), which is what a parser has to find out.
"""
import random
import sys

MIN, MAX, M64 = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
EDGES = [0, 1, -1, 2, -2, 7, 63, 64, 65, -64, 1 << 31, -(1 << 31), (1 << 32) - 1, MIN, MIN + 1,
         MAX, MAX - 1]
NAMES = ["a", "b", "x.y"]
CHARACTERS = {65: "'A'", 48: "'0'", 10: "'\\n'", 39: "'\\''", 32: "' '"}
# operator: precedence; all from the left
BINARY = {"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7,
          ">=": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10}
CHOICE, UNARY, VALUE = 0, 11, 12


def wrap(n):
    n &= M64
    return n - (1 << 64) if n > MAX else n


def binary(op, a, b, notes):
    """a op b, both operands known. Notes when C does not define it."""
    if op in ("+", "-", "*"):
        return wrap({"+": a + b, "-": a - b, "*": a * b}[op])  # C: with -fwrapv
    if op in ("/", "%"):
        if b == 0:
            notes.add("division")
            return 0
        if (a, b) == (MIN, -1):
            notes.add("division")
        q = abs(a) // abs(b)
        q = -q if (a < 0) != (b < 0) else q
        return wrap(q) if op == "/" else wrap(a - q * b)
    if op in ("<<", ">>"):
        if b < 0 or b > 63:
            notes.add("shift")
            return 0 if op == "<<" or a >= 0 else -1
        return wrap(a << b) if op == "<<" else a >> b
    if op in ("&", "|", "^"):
        return {"&": a & b, "|": a | b, "^": a ^ b}[op]
    return int({"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b,
                ">=": a >= b}[op])


def is_int(tree):
    """Whether it has 32 bits in C: truth and characters do. Here nothing has."""
    if tree[0] == "unary":
        return tree[1] == "!" or is_int(tree[2])
    if tree[0] == "choice":
        return is_int(tree[2]) and is_int(tree[3])
    if tree[0] == "binary":
        op, left, right = tree[1:]
        return BINARY[op] in (1, 2, 6, 7) or is_int(left) and (BINARY[op] == 8 or is_int(right))
    return tree[0] == "character"


def value(tree, env, notes):
    n = value_of(tree, env, notes)
    if is_int(tree) and not -(1 << 31) <= n < 1 << 31:
        notes.add("int")
    return n


def value_of(tree, env, notes):
    kind = tree[0]
    if kind in ("number", "character"):
        return tree[1]
    if kind == "name":
        return env[tree[1]]
    if kind == "unary":
        n = value(tree[2], env, notes)
        return {"-": wrap(-n), "~": ~n, "!": int(n == 0), "+": n}[tree[1]]
    if kind == "choice":
        return value(tree[2] if value(tree[1], env, notes) else tree[3], env, notes)
    op, left, right = tree[1:]
    if op in ("<<", ">>") and is_int(left):
        notes.add("int")
    if op == "&&":
        return int(value(left, env, notes) != 0 and value(right, env, notes) != 0)
    if op == "||":
        return int(value(left, env, notes) != 0 or value(right, env, notes) != 0)
    return binary(op, value(left, env, notes), value(right, env, notes), notes)


def make(rng, size):
    if size <= 1 or rng.random() < 0.05:
        if rng.random() < 0.5:
            return ("name", rng.choice(NAMES))
        if rng.random() < 0.1:
            return ("character", rng.choice(list(CHARACTERS)))
        return ("number", rng.choice([n for n in EDGES if n >= 0] + [rng.randrange(100)]))
    what = rng.random()
    if what < 0.2:
        return ("unary", rng.choice("-~!+"), make(rng, size - 1))
    if what < 0.3 and size > 3:
        return ("choice", make(rng, size // 3), make(rng, size // 3), make(rng, size // 3))
    left = rng.randrange(1, size)
    return ("binary", rng.choice(list(BINARY)), make(rng, left), make(rng, size - left))


def number(rng, n):
    """LL: for C it is one of 64 bits then; here it says nothing new."""
    return rng.choice(["%d", "0x%x", "0X%X", "0%o" if n else "%d"]) % n + "LL"


def text(rng, tree, least=CHOICE):
    """The tree in C, in brackets where it binds less than `least`."""
    blank = rng.choice(["", " ", "", "  ", "\t"])
    kind = tree[0]
    if kind in ("number", "character", "name"):
        own = VALUE
        s = {"number": lambda: number(rng, tree[1]), "name": lambda: tree[1],
             "character": lambda: CHARACTERS[tree[1]]}[kind]()
        if s == "x.y":
            s = rng.choice(["x.y", "x->y", "x . y"])
    elif kind == "unary":
        own = UNARY
        s = text(rng, tree[2], UNARY)
        # -- and ++ are other operators
        s = tree[1] + (" " if s[0] == tree[1] else "") + blank + s
    elif kind == "choice":
        own = CHOICE
        s = (text(rng, tree[1], CHOICE + 1) + blank + "?" + blank + text(rng, tree[2]) + blank
             + ":" + text(rng, tree[3]))
    else:
        own = BINARY[tree[1]]
        left, right = text(rng, tree[2], own), text(rng, tree[3], own + 1)
        # && & and the like, and -- and ++
        s = left + blank + tree[1] + (" " if right[0] in "-+&" else blank) + right
    if own < least or rng.random() < 0.05:
        s = "(" + s + ")"
    return s


def main():
    count, directory = int(sys.argv[1]), sys.argv[2]
    rng = random.Random(20240501)
    sets = [[rng.choice(EDGES + [rng.randrange(MIN, MAX)]) for _ in NAMES] for _ in range(24)]
    seen, trees = set(), []
    while len(trees) < count:
        tree = make(rng, rng.randrange(1, 16))
        s = text(rng, tree)
        if s not in seen:
            seen.add(s)
            trees.append((tree, s))
    with open(directory + "/expressions", "w") as f:
        f.writelines(s + "\n" for _, s in trees)
    with open(directory + "/want.h", "w") as f:
        literal = lambda n: "(s64)0x%xULL" % (n & M64)
        f.write("#define SETS %d\n#define COUNT %d\n" % (len(sets), count))
        f.write("static const s64 sets[SETS][%d] = {\n" % len(NAMES))
        f.writelines("{%s},\n" % ",".join(map(literal, v)) for v in sets)
        f.write("};\nstatic const struct { s64 value; char in_c; } want[COUNT][SETS] = {\n")
        for tree, _ in trees:
            row = []
            for v in sets:
                notes = set()
                n = value(tree, dict(zip(NAMES, v)), notes)
                row.append("{%s,%d}" % (literal(n), not notes))
            f.write("{%s},\n" % ",".join(row))
        f.write("};\n")
    with open(directory + "/raw.c", "w") as f:
        for i, (_, s) in enumerate(trees):
            c = s.replace(" . ", ".").replace("->", ".").replace("x.y", "xy")
            f.write("long long raw%d(long long a, long long b, long long xy)\n"
                    "{ return %s; }\n" % (i, c))


main()
