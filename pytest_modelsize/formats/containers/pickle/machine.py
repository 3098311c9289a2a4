"""Follow a pickle's opcodes with a stack of symbols, as an unpickler would, and build nothing.

What an opcode does is documented in ``pickletools``.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_modelsize.formats.containers.pickle.opcodes import PickleStream, opcodes
from pytest_modelsize.formats.containers.pickle.stack import CONTAINER, SLOT, TEXT, Stack
from pytest_modelsize.formats.containers.pickle.values import Call, Dictionary, Items, Reference
from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Handler = Callable[[Stack, Any, int], None]
    Inline = Callable[[Source, Any, int], tuple[Any, int] | None]
    """Of a source, the object that was just built, and where: what stands in for it, and how many
    bytes that are not opcodes follow; None where that is nothing."""

__all__ = ["follow"]


def follow(source: Source, start: int = 0, inline: Inline | None = None) -> tuple[Any, int]:
    """Return what the pickle at ``start`` describes, and where it ends.

    Args:
        source: what holds the pickle.
        start: where it begins in there.
        inline: returns what lies between the opcodes, as joblib's arrays do.

    Raises:
        ArtifactError: with the offset of what makes no sense: an unknown opcode, a value that
            is missing, or a pickle that takes too much to follow.
    """
    machine = Stack(source)
    stream = PickleStream(source, start)
    for name, argument, at in opcodes(stream):
        if name == "STOP":
            return machine.pop(at), at + 1
        handler = _HANDLERS.get(name)
        if handler is None:
            raise source.error(at, f"{name} in a pickle, which PyTorch does not write")
        handler(machine, argument, at)
        if inline is not None and name == "BUILD":
            found = inline(source, machine.stack[-1], stream.tell())
            if found is not None:
                machine.stack[-1], size = found
                stream.skip(size)
    raise source.error(start, "a pickle without STOP")


def _constant(value: Any) -> _Handler:
    return lambda m, argument, at: m.push(value, at)


def _argument(m: Stack, argument: Any, at: int) -> None:
    m.push(argument, at)


def _text(m: Stack, argument: Any, at: int) -> None:
    m.push(argument, at, SLOT + TEXT + 4 * len(argument or ""))


def _nothing(m: Stack, argument: Any, at: int) -> None:
    pass


def _mark(m: Stack, argument: Any, at: int) -> None:
    m.spend(SLOT, at)
    m.marks.append((len(m.stack), at))


def _container(kind: Callable[[], Any]) -> _Handler:
    return lambda m, argument, at: m.push(kind(), at, SLOT + CONTAINER)


def _tuple_of(count: int) -> _Handler:
    def handle(m: Stack, argument: Any, at: int) -> None:
        placed = [m.pop_placed(at) for _ in range(count)]
        placed.reverse()
        m.push(tuple(v for v, _ in placed), placed[0][1], SLOT + TEXT + 8 * count)

    return handle


def _tuple(m: Stack, argument: Any, at: int) -> None:
    values, _, start = m.pop_mark(at)
    m.push(tuple(values), start, SLOT + TEXT + 8 * len(values))


def _list(m: Stack, argument: Any, at: int) -> None:
    values, _, start = m.pop_mark(at)
    m.push(Items(values), start, SLOT + CONTAINER + 8 * len(values))


def _dict(m: Stack, argument: Any, at: int) -> None:
    values, starts, start = m.pop_mark(at)
    made = Dictionary()
    _set_all(m, made, values, starts, at)
    m.push(made, start, SLOT + CONTAINER)


def _set_all(m: Stack, target: Any, values: list[Any], starts: list[int], at: int) -> None:
    if len(values) % 2:
        raise m.source.error(at, "a key without a value in a pickle")
    ends = [*starts[2::2], at]
    for index in range(0, len(values), 2):
        span = (starts[index], ends[index // 2])
        m.add(target, values[index], values[index + 1], span, at)


def _set_item(m: Stack, argument: Any, at: int) -> None:
    value = m.pop(at)
    key, start = m.pop_placed(at)
    m.add(m.top(at), key, value, (start, at + 1), at)


def _set_items(m: Stack, argument: Any, at: int) -> None:
    values, starts, _ = m.pop_mark(at)
    _set_all(m, m.top(at), values, starts, at)


def _append(m: Stack, argument: Any, at: int) -> None:
    value = m.pop(at)
    m.hold(m.top(at), [value], at)


def _append_all(m: Stack, argument: Any, at: int) -> None:
    values, _, _ = m.pop_mark(at)
    m.hold(m.top(at), values, at)


def _global(m: Stack, argument: Any, at: int) -> None:
    module, _, name = argument.partition(" ")
    m.push(m.named(module, name, at), at)


def _stack_global(m: Stack, argument: Any, at: int) -> None:
    name, module = m.pop(at), m.pop(at)
    if type(name) is not str or type(module) is not str:
        raise m.source.error(at, "the name of a global in a pickle, which is not text")
    m.push(m.named(module, name, at), at)


def _reduce(m: Stack, argument: Any, at: int) -> None:
    arguments = m.pop(at)
    target, start = m.pop_placed(at)
    m.call(target, arguments, start)


def _new_with_keywords(m: Stack, argument: Any, at: int) -> None:
    keywords, arguments = m.pop(at), m.pop(at)
    target, start = m.pop_placed(at)
    m.call(target, (arguments, keywords), start)


def _instance(m: Stack, argument: Any, at: int) -> None:
    values, _, start = m.pop_mark(at)
    module, _, name = argument.partition(" ")
    m.call(m.named(module, name, at), tuple(values), start)


def _object(m: Stack, argument: Any, at: int) -> None:
    values, _, start = m.pop_mark(at)
    if not values:
        raise m.source.error(at, "a class expected on the stack of a pickle")
    m.call(values[0], tuple(values[1:]), start)


def _build(m: Stack, argument: Any, at: int) -> None:
    state, target = m.pop(at), m.top(at)
    if type(target) not in (Call, Dictionary):
        raise m.source.error(at, "an object expected on the stack of a pickle")
    # What an object held before it had a state goes on being held.
    target.state = state if target.state is None else (target.state, state)


def _persistent(m: Stack, argument: Any, at: int) -> None:
    m.push(Reference(argument, at), at, SLOT + CONTAINER + 4 * len(argument))


def _persistent_on_stack(m: Stack, argument: Any, at: int) -> None:
    id, start = m.pop_placed(at)
    m.push(Reference(id, start), start, SLOT + CONTAINER)


def _forget(m: Stack, at: int) -> None:
    m.pop_mark(at)


_HANDLERS: dict[str, _Handler] = {
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),  # noqa: FBT003 - the constant itself
    "NEWFALSE": _constant(False),  # noqa: FBT003
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _argument),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), _argument),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _argument),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE"), _text),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _text),
    "MARK": _mark,
    "EMPTY_DICT": _container(Dictionary),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), _container(lambda: Items([]))),
    "EMPTY_TUPLE": _constant(()),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "TUPLE": _tuple,
    **dict.fromkeys(("LIST", "FROZENSET"), _list),
    "DICT": _dict,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "APPEND": _append,
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _append_all),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _reduce),
    "NEWOBJ_EX": _new_with_keywords,
    "INST": _instance,
    "OBJ": _object,
    "BUILD": _build,
    "PERSID": _persistent,
    "BINPERSID": _persistent_on_stack,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda m, index, at: m.put(index, at)),
    "MEMOIZE": lambda m, argument, at: m.put(len(m.memo), at),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, index, at: m.get(index, at)),
    "POP": lambda m, argument, at: m.drop(at),
    "POP_MARK": lambda m, argument, at: _forget(m, at),
    "DUP": lambda m, argument, at: m.push(m.top(at), at),
}
