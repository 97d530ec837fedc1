"""Numbers and amounts of money as people write them in their language (MSG-10)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_territory_currencies
from liquid import Environment
from liquid.exceptions import FilterError

from rendering.filters.guard import wrong_type
from rendering.filters.inputs import exact, number_in
from rendering.printing import printed

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_CODE: Final = re.compile(r"[A-Z]{3}")
_DECIMALS: Final = re.compile(r"\.[0#]+")
_DEFAULT: Final = "en"


def format_number(value: Any, locale: Any = _DEFAULT) -> str:
    """A number with the separators of a language."""
    amount = _amount(value)
    return "" if amount is None else str(format_decimal(amount, locale=_locale(printed(locale))))


def currency(value: Any, locale: Any = _DEFAULT, code: Any = None) -> str:
    """An amount in the currency of a code, or of the region of the locale."""
    amount, where = _amount(value), _locale(printed(locale))
    unit = _code(where, code)
    if amount is None:
        return ""
    step = Decimal(1).scaleb(-get_currency_precision(unit))
    return str(format_currency(_rounded(amount, step), unit, locale=where))


def rounded_currency(value: Any, locale: Any = _DEFAULT, code: Any = None) -> str:
    """The same without decimals."""
    amount, where = _amount(value), _locale(printed(locale))
    unit = _code(where, code)
    if amount is None:
        return ""
    pattern = _DECIMALS.sub("", where.currency_formats["standard"].pattern)
    whole = _rounded(amount, Decimal(1))
    return str(format_currency(whole, unit, pattern, locale=where, currency_digits=False))


def _amount(value: Any) -> Decimal | None:
    """The number that a value says; null says none, and what is not a number is of no use."""
    if value is None:
        return None
    found = number_in(value)
    if found is None:
        raise wrong_type()
    return exact(found)


def _rounded(amount: Decimal, step: Decimal) -> Decimal:
    # What has more digits than can be counted on has no places either.
    return amount if amount.adjusted() > 20 else amount.quantize(step, ROUND_HALF_UP)


@lru_cache(maxsize=512)
def _locale(name: str) -> Locale:
    try:
        if _LOCALE.fullmatch(name) is not None:
            return Locale.parse(name.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        pass
    raise FilterError(f"'{name[:40]}' is not a locale", token=None)


def _code(locale: Locale, code: Any) -> str:
    if code is not None:
        unit = printed(code).strip().upper()
        if _CODE.fullmatch(unit) is None:
            raise FilterError(f"'{printed(code)[:40]}' is not the code of a currency", token=None)
        return unit
    return _of_region(str(locale))


@lru_cache(maxsize=512)
def _of_region(name: str) -> str:
    """The currency of the region of a locale, or of where its language is spoken most."""
    territory = Locale.parse(name).territory
    if territory is None:
        territory = str(get_global("likely_subtags").get(name, "en_Latn_US")).rsplit("_", 1)[-1]
    return next(iter(get_territory_currencies(territory)), "USD")


def register(env: Environment) -> None:
    """Add them."""
    for function in (format_number, currency, rounded_currency):
        env.add_filter(function.__name__, function)


__all__ = ["register"]
