"""A power cut, simulated: from the recorded calls of a run, every state of the disk that a cut could have left.

What was synced before the cut is there. Of what was not, nothing, everything, any part in any order, or a write torn between
two sectors. New and deleted names are there in the order they were made, as far as the cut let them. The memory-mapped
index (`-shm`) is left out: it is made anew at every start.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 512
TRACED = "pwrite64,write,fdatasync,fsync,ftruncate,openat,unlink,unlinkat,rename,sendmsg,sendto,writev"
ACK = re.compile(rb"MSA\|AA\|(\w+)\r")
CALL = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
FILE = re.compile(r"^(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)")
NUMBER = re.compile(r", (\d+)(?=[,) ])")


@dataclass(frozen=True)
class Op:
    """`kind`: write, truncate, sync, create, unlink, folder (its names are synced), ack."""

    kind: str
    name: str = ""
    offset: int = 0
    data: bytes = b""


def recorded(trace: Path, folder: Path) -> list[Op]:
    """What a run did to the database's files in `folder`, and what it acknowledged, in order.

    A call that another thread interrupted in the trace counts from its beginning; a sync, from its end.
    """
    ops: list[Op] = []
    syncing: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        if not (found := CALL.match(line)):
            continue
        thread, call, form, rest = found.groups()
        if call in {"fdatasync", "fsync"}:
            name = syncing.pop(thread) if form != "(" else _file(rest)
            if "unfinished" in rest:
                syncing[thread] = name
            elif name == str(folder):
                ops.append(Op("folder"))
            else:
                ops += _kept(folder, name, "sync")
        elif form == "(":
            ops += _op(folder, call, rest)
    return ops


def _op(folder: Path, call: str, rest: str) -> Iterator[Op]:
    texts = [_bytes(text) for text in TEXT.findall(rest)]
    numbers = [int(number) for number in NUMBER.findall(rest)]
    match call:
        case "pwrite64":
            yield from _kept(folder, _file(rest), "write", numbers[-1], texts[0])
        case "ftruncate":
            yield from _kept(folder, _file(rest), "truncate", numbers[-1])
        case "openat" if "O_CREAT" in rest:
            yield from _kept(folder, texts[0].decode(), "create")
        case "unlink" | "unlinkat":
            yield from _kept(folder, texts[0].decode(), "unlink")
        case "sendto" | "write" | "writev" | "sendmsg":
            for name in ACK.findall(b"".join(texts)):
                yield Op("ack", name.decode())
        case "rename":
            assert not any("adapter.db" in text.decode() for text in texts), "the store renames nothing"


def _kept(folder: Path, path: str, kind: str, offset: int = 0, data: bytes = b"") -> Iterator[Op]:
    name = Path(path).name
    if Path(path).parent == folder and name.startswith("adapter.db") and not name.endswith("-shm"):
        yield Op(kind, name, offset, data)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _file(rest: str) -> str:
    found = FILE.match(rest)
    return _bytes(found[1]).decode() if found else ""


@dataclass
class Disk:
    """Files by name and generation: a name deleted and made again is another file."""

    synced: dict[str, bytes]
    pending: dict[str, list[Op]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Which file a name stands for, as far as the folder is synced."""
    renamed: list[tuple[str, str | None]] = field(default_factory=list)
    """Changes of names since then."""
    made: int = 0

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> "Disk":
        return cls(dict(files), names={name: name for name in files})

    def now(self) -> dict[str, str]:
        return self._names(len(self.renamed))

    def _names(self, number: int) -> dict[str, str]:
        names: dict[str, str | None] = {**self.names, **dict(self.renamed[:number])}
        return {name: file for name, file in names.items() if file is not None}

    def do(self, op: Op) -> None:
        file = self.now().get(op.name, "")
        match op.kind:
            case "create" if not file:
                self.made += 1
                file = f"{op.name} {self.made}"
                self.renamed.append((op.name, file))
                self.synced[file] = b""
            case "unlink":
                self.renamed.append((op.name, None))
            case "folder":
                self.names, self.renamed = self.now(), []
            case "sync":
                self.synced[file] = applied(self.synced[file], self.pending.pop(file, []))
            case "write" | "truncate":
                self.pending.setdefault(file, []).append(op)

    def cut(self, how: str, chance: Random) -> dict[str, bytes]:
        """What a cut leaves now: `none` or `all` of what is not synced, `some` of it, or the last write `torn`."""
        number = {"none": 0, "all": len(self.renamed)}.get(how, chance.randint(0, len(self.renamed)))
        left = {name: (self.synced[file], self.pending.get(file, [])) for name, file in self._names(number).items()}
        return {name: applied(data, _survivors(ops, how, chance)) for name, (data, ops) in left.items()}


def _survivors(ops: list[Op], how: str, chance: Random) -> list[Op]:
    if how == "none" or not ops:
        return []
    if how == "some":
        return [op for op in ops if chance.random() < 1 / 2]
    if how == "torn":
        last = ops[-1]
        size = chance.randrange(0, len(last.data) + 1, SECTOR)
        return [*ops[:-1], Op(last.kind, last.name, last.offset, last.data[:size])]
    return ops


def applied(data: bytes, ops: list[Op]) -> bytes:
    if not ops:
        return data
    made = bytearray(data)
    for op in ops:
        if op.kind == "truncate":
            made[:] = made[: op.offset].ljust(op.offset, b"\0")
        elif op.data:
            made.extend(b"\0" * (op.offset + len(op.data) - len(made)))
            made[op.offset : op.offset + len(op.data)] = op.data
    return bytes(made)


def cuts(
    files: Mapping[str, bytes], ops: list[Op], number: int, chance: Random
) -> Iterator[tuple[dict[str, bytes], set[str]]]:
    """So many (files after the cut, control ids acknowledged before it), spread over the run."""
    disk, acknowledged = Disk.of(files), set[str]()
    each, rest = divmod(number, len(ops))
    more = set(chance.sample(range(len(ops)), rest))
    for at, op in enumerate(ops):
        if op.kind == "ack":
            acknowledged.add(op.name)
        disk.do(op)
        for turn in range(each + (at in more)):
            yield disk.cut(("none", "all", "some", "torn")[(at + turn) % 4], chance), set(acknowledged)
