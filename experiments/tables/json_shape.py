"""The shape of JSON values: their keys and types, for comparing files that two programs wrote.

    beyond(shape(invented), shape(real))    # ["layers[].kept: integer, not there"]
"""

import functools

_NAMES = {bool: "boolean", int: "integer", float: "number", str: "text", type(None): "null"}


class _List:
    """Of a list: the shape that all its elements have together; None: it is empty."""

    def __init__(self, element=None):
        self.element = element


def shape(value):
    """A dict of shapes, a _List, or a set of types' names."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return _List(functools.reduce(both, map(shape, value)) if value else None)
    return {_NAMES[type(value)]}


def both(one, other):
    """What is of either shape. ValueError: a value cannot be."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: both(one[key], other[key]) if key in one and key in other
                else one.get(key, other.get(key)) for key in {**one, **other}}
    if isinstance(one, _List) and isinstance(other, _List):
        if one.element is None or other.element is None:
            return _List(one.element or other.element)
        return _List(both(one.element, other.element))
    if isinstance(one, set) and isinstance(other, set):
        return one | other
    raise ValueError(f"one value is {_text(one)}, another one {_text(other)}")


def _text(shape_of):
    kind = {dict: "an object", _List: "a list"}.get(type(shape_of))
    return kind or " or ".join(sorted(shape_of))


def beyond(told, real, place=""):
    """What `told` has and `real` has not, in words. A whole number may stand for any number."""
    if isinstance(told, dict) and isinstance(real, dict):
        return [text for key, each in told.items() for text in (
            beyond(each, real[key], f"{place}.{key}") if key in real
            else [f"{place}.{key}: {_text(each)}, not there"])]
    if isinstance(told, _List) and isinstance(real, _List):
        if told.element is None:
            return []
        if real.element is None:
            return [f"{place}[]: not empty"]
        return beyond(told.element, real.element, f"{place}[]")
    if isinstance(told, set) and isinstance(real, set):
        known = real | ({"integer"} if "number" in real else set())
        return [f"{place}: {_text(told)}, not {_text(real)}"] if told - known else []
    return [f"{place}: {_text(told)}, not {_text(real)}"]
