"""Texts without what tells who wrote them, or about whom: for logs."""

from __future__ import annotations

import re

# Every repetition is bounded, so that no text takes more than time in proportion to its length.
_EMAIL = re.compile(r"[\w.%+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ACCOUNT = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){10,30}\b")
# National insurance in Britain, the one number that is often written with letters and spaces.
_INSURANCE = re.compile(r"\b[A-Z]{2}(?: ?[0-9]{2}){3} ?[A-D]\b")
_DIGITS = re.compile(
    r"(?<![\w.,])[+(]{0,2}\d(?:[ \u00a0\u202f()./\u2010-\u2015-]{0,3}\d){5,40}(?![\w])"
)
_WORD = re.compile(r"\b(?=[A-Z0-9]*[A-Z])[A-Z0-9]{7,24}\b")

_DATE = re.compile(r"\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}")
_SOCIAL_SECURITY = re.compile(r"\d{3}[ -]\d{2}[ -]\d{4}")
_CARD_LENGTHS = range(12, 20)
_PHONE_LENGTHS = range(7, 16)
# Words with fewer digits are seldom the number of a passport, an identity card or an insurance.
_LEAST_DIGITS = 5


def redact(text: str) -> str:
    """Replaces what may identify somebody.

    That is e-mail addresses, payment cards (numbers whose last digit checks the others), bank
    accounts (IBAN), telephone numbers, and numbers of identity papers, insurances and taxes in the
    forms that most countries give them. Names and addresses of places stay. A number in doubt goes.

    Args:
        text: Any text.

    Returns:
        The text, with words such as ``[CARD]`` for what was found.

    Example:
        >>> redact("I am ann@example.org, call +44 20 7946 0958, card 4111 1111 1111 1111.")
        'I am [EMAIL], call [PHONE], card [CARD].'
    """
    text = _EMAIL.sub("[EMAIL]", text)
    text = _ACCOUNT.sub(_account, text)
    text = _INSURANCE.sub("[ID]", text)
    text = _DIGITS.sub(_number, text)
    return _WORD.sub(_identifier, text)


def _account(found: re.Match[str]) -> str:
    """ISO 13616: letters count from 10, the first four signs go last, and 97 leaves 1."""
    signs = found[0].replace(" ", "")
    number = int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4]))
    return "[ACCOUNT]" if number % 97 == 1 else found[0]


def _number(found: re.Match[str]) -> str:
    written = found[0]
    digits = [int(sign) for sign in written if sign.isdecimal()]
    if _DATE.fullmatch(written):
        return written
    if len(digits) in _CARD_LENGTHS and _is_checked(digits):
        return "[CARD]"
    if _SOCIAL_SECURITY.fullmatch(written):
        return "[ID]"
    is_plain = written.isdecimal()
    if len(digits) in _PHONE_LENGTHS and not is_plain:
        return "[PHONE]"
    return "[ID]" if len(digits) >= _PHONE_LENGTHS.start else written


def _is_checked(digits: list[int]) -> bool:
    """The sum of Luhn (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _identifier(found: re.Match[str]) -> str:
    return "[ID]" if sum(sign.isdigit() for sign in found[0]) >= _LEAST_DIGITS else found[0]
