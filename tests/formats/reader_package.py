"""A reader of another package, made by hand."""


def reader(recognises="return source.read(0, 3) == b'OWN'", read="pass", format="own"):
    """The code of a reader."""
    return (
        "from pytest_modelsize import Kind\n"
        f"format = {format!r}\n"
        f"def recognises(source):\n    {recognises}\n"
        f"def read(source, ledger):\n    {read}\n"
    )


WHOLE = "ledger.add(('weights', 'all'), Kind.DATA, source.size)"
