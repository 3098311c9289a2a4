"""Data classes that cost little to define, for what the command imports to read a file.

To import `dataclasses` takes as long as to start Python: it brings `inspect`, and with that the
parser and the disassembler. Each class then takes longer than to read a small model. So
what the readers define is made here: the same decorator, of which they use ``frozen``, ``slots``
and ``eq``, and the same `field` and `replace`. Type checkers see the standard library's, and so
does whoever asks an instance: `dataclasses.fields`, ``asdict`` and ``replace`` take it for one.
"""

from __future__ import annotations

# `typing` is not imported either, which takes as long as a few readers.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
    from typing import NamedTuple
else:
    from collections import namedtuple

    class _NamedTuple(type):
        """Makes a named tuple of a class that is declared as one."""

        def __new__(meta, name, bases, content):
            if not bases:
                return super().__new__(meta, name, bases, content)
            names = list(content.pop("__annotations__", None) or _annotations(content))
            defaults = [content.pop(one) for one in names if one in content]
            made = namedtuple(name, names, defaults=defaults, module=content["__module__"])
            for attribute, value in content.items():
                if attribute not in ("__module__", "__qualname__", "__annotate_func__"):
                    setattr(made, attribute, value)
            return made

    class NamedTuple(metaclass=_NamedTuple):
        """As `typing.NamedTuple`."""

    def _annotations(content):
        """Return the fields of a class that says them when it is asked, as Python 3.14 has it."""
        return content["__annotate_func__"](3)

    _REQUIRED = object()
    _BEFORE = 80

    class _Field:
        """What a class says of a field beside its type: a default, or what makes one."""

        def __init__(self, default=_REQUIRED, make=None, shown=True, given=True):
            self.default, self.make, self.shown, self.given = default, make, shown, given

    class _StandardFields:
        """What `dataclasses` looks for in a class, made when it looks."""

        def __get__(self, instance, owner):
            import dataclasses

            fields = [
                (name, owner.__record_types__[name], _standard_field(said))
                for name, said in owner.__record_fields__.items()
            ]
            made = dataclasses.make_dataclass(owner.__name__, fields)
            found = made.__dataclass_fields__
            owner.__dataclass_fields__ = found
            return found

    def field(*, default=_REQUIRED, default_factory=None, init=True, repr=True):
        """Return what is said of a field, as `dataclasses.field` does."""
        return _Field(default, default_factory, repr, init)

    def dataclass(cls=None, *, frozen=False, slots=False, eq=True):
        """Make a data class, as `dataclasses.dataclass` does with the same arguments."""
        if cls is None:
            return lambda decorated: dataclass(decorated, frozen=frozen, slots=slots, eq=eq)
        own = cls.__annotations__
        fields = dict(getattr(cls, "__record_fields__", {}))
        for name in own:
            said = cls.__dict__.get(name, _REQUIRED)
            fields[name] = said if isinstance(said, _Field) else _Field(said)
        if slots:
            content = {
                name: value
                for name, value in cls.__dict__.items()
                if name not in own and name not in ("__dict__", "__weakref__")
            }
            qualified = cls.__qualname__
            cls = type(cls)(cls.__name__, cls.__bases__, {**content, "__slots__": tuple(own)})
            cls.__qualname__ = qualified
        cls.__record_fields__ = fields
        cls.__match_args__ = tuple(name for name, said in fields.items() if said.given)
        cls.__record_types__ = {**getattr(cls, "__record_types__", {}), **own}
        cls.__dataclass_fields__ = _StandardFields()
        cls.__init__ = _first_calls(cls, frozen)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = _shown
        if eq:
            cls.__eq__ = _equal
            cls.__hash__ = _hash if frozen else None
        if frozen:
            cls.__setattr__ = cls.__delattr__ = _refused
            if slots:
                cls.__getstate__, cls.__setstate__ = _state, _restored
        return cls

    def replace(instance, /, **changes):
        """Return a copy of ``instance`` with some fields changed."""
        for name, said in instance.__record_fields__.items():
            if said.given and name not in changes:
                changes[name] = getattr(instance, name)
        return type(instance)(**changes)

    def _first_calls(cls, frozen):
        """Return what fills in the fields, and after some calls makes the initializer.

        That takes as long as eighty calls of this one, and of most classes few objects are made.
        """
        left = _BEFORE

        def __init__(self, *values, **named):
            nonlocal left
            left -= 1
            if left < 0 or not _filled(self, cls, values, named):
                cls.__init__ = _initializer(cls, frozen)
                cls.__init__(self, *values, **named)
            elif hasattr(cls, "__post_init__"):
                self.__post_init__()

        return __init__

    def _filled(instance, cls, values, named):
        """Fill in the fields; return whether the arguments are those of the class."""
        left = list(reversed(values))
        used = 0
        for name, said in cls.__record_fields__.items():
            if said.given and left:
                value = left.pop()
            elif said.given and name in named:
                value = named[name]
                used += 1
            elif said.make is not None:
                value = said.make()
            elif said.default is not _REQUIRED:
                value = said.default
            elif said.given:
                return False
            else:
                continue  # what comes after sets it
            object.__setattr__(instance, name, value)
        return not left and used == len(named)

    def _initializer(cls, frozen):
        known = {"cls": cls, "set_": object.__setattr__, "required": _REQUIRED}
        parameters, values = [], {}
        for name, said in cls.__record_fields__.items():
            value, parameter = name, name
            if not said.given and said.make is None and said.default is _REQUIRED:
                continue  # what comes after sets it
            if not said.given:
                known[f"make_{name}"] = said.make or (lambda said=said: said.default)
                value, parameter = f"make_{name}()", ""
            elif said.make is not None:
                known[f"make_{name}"] = said.make
                value = f"make_{name}() if {name} is required else {name}"
                parameter = f"{name}=required"
            elif said.default is not _REQUIRED:
                known[f"default_{name}"] = said.default
                parameter = f"{name}=default_{name}"
            if parameter:
                parameters.append(parameter)
            values[name] = value
        plainly = [f"self.{name} = {value}" for name, value in values.items()]
        lines = [f"set_(self, {name!r}, {value})" for name, value in values.items()]
        if not frozen:
            lines = plainly
        elif cls.__bases__ == (object,) and "__slots__" in vars(cls):
            # A class that refuses to have its fields set has each one set by a call. To have the
            # object be of one that does not, while it is filled, takes half the time.
            known["open_"] = type(f"_Open{cls.__name__}", (), {"__slots__": cls.__slots__})
            exactly = ['set_(self, "__class__", open_)', *plainly, "self.__class__ = cls"]
            lines = [
                "if self.__class__ is cls:",
                *(f" {line}" for line in exactly),
                "else:",
                *(f" {line}" for line in lines),
            ]
        if hasattr(cls, "__post_init__"):
            lines.append("self.__post_init__()")
        body = "\n ".join(lines)
        exec(f"def __init__(self, {', '.join(parameters)}):\n {body}", known)
        return known["__init__"]

    def _values(instance):
        return tuple([getattr(instance, name) for name in instance.__record_fields__])

    def _equal(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return _values(self) == _values(other)

    def _hash(self):
        return hash(_values(self))

    def _shown(self):
        fields = self.__record_fields__.items()
        shown = [f"{name}={getattr(self, name)!r}" for name, said in fields if said.shown]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _refused(self, name, *value):
        raise AttributeError(f"cannot change the field {name!r}: it is frozen")

    def _state(self):
        return _values(self)

    def _restored(self, state):
        for name, value in zip(self.__record_fields__, state, strict=True):
            object.__setattr__(self, name, value)

    def _standard_field(said):
        import dataclasses

        if said.make is not None:
            return dataclasses.field(default_factory=said.make, repr=said.shown, init=said.given)
        if said.default is not _REQUIRED:
            return dataclasses.field(default=said.default, repr=said.shown, init=said.given)
        return dataclasses.field(repr=said.shown)


__all__ = ["NamedTuple", "dataclass", "field", "replace"]
