"""Who may open the phone page: the first phone with the token, and from then on that phone alone.
Pure, but for the random words."""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

COOKIE = "__Host-beckon-phone"  # the prefix binds it to this host, path / and HTTPS


class Access:
    """One token, one phone. new_code() makes both void and begins again."""

    def __init__(self) -> None:
        self.token = self._session = ""
        self.spent = False
        self.generation = 0
        """Grows with each new code, so that a connection notices that it is void."""
        self.new_code()

    def new_code(self) -> None:
        self.token, self._session = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.spent = False
        self.generation += 1

    def spend(self, token: str) -> str:
        """The cookie for the first phone that brings the token; "" for every other."""
        if self.spent or not self.is_token(token):
            return ""
        self.spent = True
        return self._session

    def is_token(self, token: str) -> bool:
        """Whether this is the token, spent or not."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def knows(self, cookies: str) -> bool:
        """cookies: of a request's header."""
        try:
            found = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            return False
        return (found is not None and self.spent
                and hmac.compare_digest(found.value.encode(), self._session.encode()))


class Budget:
    """At most per_s in the long run, and `burst` at once."""

    def __init__(self, per_s: float, burst: float):
        self._per_s, self._burst = per_s, burst
        self._left, self._at_s = burst, 0.0

    def allows(self, n: float, now_s: float) -> bool:
        """Whether n more are within the limits at now_s; they count if so."""
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if n > self._left:
            return False
        self._left -= n
        return True
