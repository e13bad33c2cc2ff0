"""Numbers as text, for names and labels: two numbers never give the same text."""

from decimal import Decimal


def decimal(number: float) -> str:
    """Write a number in full and without an exponent.

    >>> decimal(50), decimal(2.5), decimal(1e-7)
    ('50', '2.5', '0.0000001')
    """
    return f"{_shortest(number).normalize():f}"


def percent(ratio: float) -> str:
    """Write a ratio in percent.

    >>> percent(0.8), percent(0.124), percent(0.004)
    ('80', '12.4', '0.4')
    """
    return f"{(100 * _shortest(ratio)).normalize():f}"


def percent_name(ratio: float) -> str:
    """Write a ratio in percent as a part of a name: at least two digits, no point.

    >>> percent_name(0), percent_name(0.8), percent_name(0.124)
    ('00', '80', '12_4')
    """
    whole, _, rest = percent(ratio).partition(".")
    return f"{whole:0>2}_{rest}" if rest else f"{whole:0>2}"


def _shortest(number: float) -> Decimal:
    """The shortest decimal number that is read back as this one."""
    return Decimal(repr(float(number)))
