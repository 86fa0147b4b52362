"""What can go wrong in cryptography. These are faults of the installation or of the data, never of a person's entry."""


class CryptoError(Exception):
    """Base of the errors of this package."""


class WrongKey(CryptoError):
    """The key has a wrong length, or is no point or number of the curve."""


class Tampered(CryptoError):
    """A sealed value does not open: it, its key or what it is bound to was changed."""
