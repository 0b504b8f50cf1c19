"""The table of operations: each entry draws operands and attributes and adds a step."""

from dataclasses import dataclass


@dataclass
class Entry:
    name: str
    draw: object
    # From which flavours of numbers beside ordinary ones operands may be drawn.
    flavours: tuple
    weight: float
    # Whether each number of the result is a function of a few numbers.
    elementwise: bool


TABLE = {}


def op(*names, flavours=("ties",), weight=1.0):
    """Makes a function that is given a `Draw`, and a name if there are several, an entry for each name."""
    def add(function):
        for name in names:
            draw = (lambda d, name=name: function(d, name)) if len(names) > 1 else function
            assert name not in TABLE, f"{name} is there twice"
            TABLE[name] = Entry(name, draw, tuple(flavours), weight, function.__module__.endswith("elementwise"))
        return function
    return add


from . import elementwise, images, linalg, losses, places, products, reductions, sequences, shapes  # noqa: E402, F401
