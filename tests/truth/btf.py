# SPDX-License-Identifier: MIT
"""Where the fields of the kernel's structs lie, read from BTF."""
import struct

# bytes after the 12 that every type has: (fixed, for each member), by kind
EXTRA = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0),
         15: (0, 12), 17: (4, 0), 19: (0, 12)}
STRUCT, UNION = 4, 5


class Btf:
    def __init__(self, file):
        with open(file, "rb") as f:
            self.data = f.read()
        magic, _, _, head, types, length, strings, _ = struct.unpack_from("<HBBIIIII", self.data)
        if magic != 0xEB9F:
            raise RuntimeError("no BTF: " + file)
        self.strings = head + strings
        self.at = [0]  # where type N lies
        self.structs = {}  # the same by the name's place among the strings
        at, end = head + types, head + types + length
        unpack = struct.Struct("<II").unpack_from
        while at < end:
            self.at.append(at)
            name, info = unpack(self.data, at)
            kind = info >> 24 & 31
            if kind == STRUCT:
                self.structs.setdefault(name, at)
            fixed, each = EXTRA.get(kind, (0, 0))
            at += 12 + fixed + (info & 0xFFFF) * each

    def name(self, offset):
        at = self.strings + offset
        return self.data[at:self.data.index(b"\0", at)].decode()

    def find(self, name):
        place = self.data.index(b"\0" + name.encode() + b"\0", self.strings) + 1
        return self.structs[place - self.strings]

    def field(self, at, name):
        """Bytes from the start of the struct that lies at `at`, or None."""
        info, = struct.unpack_from("<I", self.data, at + 4)
        for i in range(info & 0xFFFF):
            offset, kind, bits = struct.unpack_from("<III", self.data, at + 12 + 12 * i)
            if info >> 31:
                bits &= 0xFFFFFF
            if offset and self.name(offset) == name:
                return bits // 8
            inner = self.at[kind]
            if not offset and struct.unpack_from("<I", self.data, inner + 4)[0] >> 24 & 31 in (STRUCT, UNION):
                deeper = self.field(inner, name)
                if deeper is not None:
                    return bits // 8 + deeper
        return None

    def offset(self, struct_name, field_name):
        found = self.field(self.find(struct_name), field_name)
        if found is None:
            raise KeyError(f"{struct_name}.{field_name}")
        return found
