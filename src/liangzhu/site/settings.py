"""Django's settings, composed from what `config.py` declares."""

import contextlib
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from liangzhu.site.config import read
from liangzhu.site.logs import configuration

HOME: Path = read("LIANGZHU_HOME")
DEBUG = read("LIANGZHU_DEBUG")
LIANGZHU_HOME = HOME
LIANGZHU_PACK = read("LIANGZHU_PACK")
LIANGZHU_DEMO_DATE = read("LIANGZHU_DEMO_DATE")
LIANGZHU_MAX_UPLOAD = read("LIANGZHU_MAX_UPLOAD")
LIANGZHU_SIGN_IN_RATE = read("LIANGZHU_SIGN_IN_RATE")
LIANGZHU_TOKEN_DAYS = read("LIANGZHU_TOKEN_DAYS")
LIANGZHU_NATS = read("LIANGZHU_NATS")
LIANGZHU_NATS_PREFIX = read("LIANGZHU_NATS_PREFIX")
LIANGZHU_NATS_STREAM = read("LIANGZHU_NATS_STREAM")
LIANGZHU_NATS_INCOMING = read("LIANGZHU_NATS_INCOMING")
LIANGZHU_RESIDENT_MINUTES = read("LIANGZHU_RESIDENT_MINUTES")
LIANGZHU_RESIDENT_SIGN_IN_RATE = read("LIANGZHU_RESIDENT_SIGN_IN_RATE")
LIANGZHU_IDENTITY = read("LIANGZHU_IDENTITY")
LIANGZHU_IDENTITY_CLIENT = read("LIANGZHU_IDENTITY_CLIENT")
LIANGZHU_IDENTITY_SECRET = read("LIANGZHU_IDENTITY_SECRET")
LIANGZHU_IDENTITY_SECONDS = read("LIANGZHU_IDENTITY_SECONDS")
LIANGZHU_CODE = read("LIANGZHU_CODE")
LIANGZHU_CODE_APP = read("LIANGZHU_CODE_APP")
LIANGZHU_CODE_SECRET = read("LIANGZHU_CODE_SECRET")
LIANGZHU_CODE_PUBLIC = read("LIANGZHU_CODE_PUBLIC")
LIANGZHU_CODE_SECONDS = read("LIANGZHU_CODE_SECONDS")
LIANGZHU_EXCHANGE = read("LIANGZHU_EXCHANGE")
LIANGZHU_EXCHANGE_NODE = read("LIANGZHU_EXCHANGE_NODE")
LIANGZHU_EXCHANGE_KEY = read("LIANGZHU_EXCHANGE_KEY")
LIANGZHU_EXCHANGE_PUBLIC = read("LIANGZHU_EXCHANGE_PUBLIC")
LIANGZHU_EXCHANGE_SECONDS = read("LIANGZHU_EXCHANGE_SECONDS")
LIANGZHU_OUTBOX_DAYS = read("LIANGZHU_OUTBOX_DAYS")
LIANGZHU_API_RATE = read("LIANGZHU_API_RATE")
LIANGZHU_FAILURE_RATE = read("LIANGZHU_FAILURE_RATE")
LIANGZHU_IDEMPOTENCY_HOURS = read("LIANGZHU_IDEMPOTENCY_HOURS")
LIANGZHU_PROXIES = read("LIANGZHU_PROXIES")
LIANGZHU_ADDRESS = read("LIANGZHU_ADDRESS")
LIANGZHU_METRICS_TOKEN = read("LIANGZHU_METRICS_TOKEN")
LIANGZHU_OWN_KEY = not read("LIANGZHU_SECRET_KEY")
LIANGZHU_OWN_MASTER_KEY = not read("LIANGZHU_MASTER_KEY")
ALLOWED_HOSTS = read("LIANGZHU_HOSTS")


def _kept(name: str, make: Callable[[], str]) -> str:
    """A secret of this home, made once however many processes start, readable by its owner only."""
    path = HOME / name
    if not path.exists():
        HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written aside and then linked: who finds the file finds all of it.
        aside = HOME / f".{name}-{secrets.token_hex(8)}"
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return path.read_text().strip()


SECRET_KEY = read("LIANGZHU_SECRET_KEY") or _kept("secret-key", lambda: secrets.token_urlsafe(50))


def _master_keys() -> list[bytes]:
    """The master key, and those that it takes over from: the old one, and the one made for this home before."""
    given, old = read("LIANGZHU_MASTER_KEY"), read("LIANGZHU_OLD_MASTER_KEY")
    kept = []
    if given is None or (HOME / "master-key").exists():
        kept = [bytes.fromhex(_kept("master-key", lambda: secrets.token_hex(16)))]
    return [key for key in (given, *kept, old) if key]


LIANGZHU_MASTER_KEYS = _master_keys()


def _sqlite(path: Path) -> dict:
    """WAL, IMMEDIATE: no transaction fails for being second. What is deleted is overwritten."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Each thread keeps its connection: closing the last one of a moment would copy the whole WAL back.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # Debian's SQLite overwrites what is deleted by itself, others do not (decision 6).
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA secure_delete=ON;"
            "PRAGMA mmap_size=134217728;PRAGMA cache_size=-20000",
        },
    }


def _database() -> dict:
    """SQLite or PostgreSQL."""
    address = read("LIANGZHU_DATABASE")
    if not address:
        return _sqlite(HOME / "liangzhu.sqlite3")
    parts = urlsplit(address)
    options = {}
    if parts.query.startswith("host="):
        # A Unix socket: postgresql:///name?host=/run/postgresql
        host = unquote(parts.query.removeprefix("host="))
        kept = 600
    else:
        host = parts.hostname or ""
        options = {"pool": {"min_size": 1, "max_size": 8}}
        kept = 0
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        # Where there is no pool, each thread keeps its connection for some minutes.
        "CONN_MAX_AGE": kept,
        "OPTIONS": options,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "liangzhu.site",
    "liangzhu.adapters.nats",
    "liangzhu.adapters.province_identity",
    "liangzhu.adapters.service_code",
    "liangzhu.adapters.city_exchange",
    "liangzhu.pillars.programme",
    "liangzhu.pillars.services",
    "liangzhu.beams.trust.sources",
    "liangzhu.beams.trust.certificates",
    "liangzhu.beams.data.indicators",
    "liangzhu.beams.work.matters",
    "liangzhu.beams.work.decisions",
    "liangzhu.beams.work.forms",
    "liangzhu.beams.work.files",
    "liangzhu.beams.people.applications",
    "liangzhu.beams.people.codes",
    "liangzhu.beams.people.residents",
    "liangzhu.beams.people.access",
    "liangzhu.beams.people.registers",
    "liangzhu.beams.people.directory",
    "liangzhu.kernel",
    "liangzhu.kernel.ui",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "liangzhu.site.watching.WatchMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "liangzhu.kernel.web.CompressMiddleware",
    "csp.middleware.CSPMiddleware",
    "liangzhu.kernel.web.RequestMiddleware",
    "liangzhu.site.api.ApiMiddleware",
    "liangzhu.beams.people.applications.middleware.MachineMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "liangzhu.beams.people.access.middleware.ActorMiddleware",
    "liangzhu.beams.people.residents.middleware.ResidentMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "liangzhu.site.urls"
WSGI_APPLICATION = "liangzhu.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "liangzhu.site.context.site",
            ],
        },
    }
]

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": HOME / "files"},
    },
    "staticfiles": {"BACKEND": "liangzhu.kernel.ui.storage.HashedStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
# Addresses carry a hash of the content; only what sources import from each other, where there is no bundle, does not.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/(?!ui/(css|js)/)"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# Accounts: user name and password, then a second factor; no self-made accounts. Residents sign in with the province.
AUTH_USER_MODEL = "access.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "liangzhu.beams.people.access.backends.StaffBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "liangzhu.beams.people.access.passwords.MinimumLength", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "site:start"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "liangzhu.beams.people.access.adapter.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_SESSION_REMEMBER = False
# Both are counted elsewhere, for all processes together: failures by axes, sign-ins by `access.lockout.not_too_often`.
ACCOUNT_RATE_LIMITS = {"login_failed": False, "login": False}
ALLAUTH_TRUSTED_PROXY_COUNT = LIANGZHU_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_ADAPTER = "liangzhu.beams.people.access.adapter.StaffMFAAdapter"
MFA_TOTP_ISSUER = "梁柱工作台"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not read("LIANGZHU_HTTPS")
# ActorMiddleware notes the last use at most every five minutes; tracking here would write on every request.
USERSESSIONS_TRACK_ACTIVITY = False
AXES_FAILURE_LIMIT = read("LIANGZHU_LOCKOUT_FAILURES")
AXES_COOLOFF_TIME = timedelta(minutes=read("LIANGZHU_LOCKOUT_MINUTES"))
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "liangzhu.beams.people.access.lockout.answer"
AXES_VERBOSE = False
# A try during the lock does not prolong it: the page says until when.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# Sign-ins are leaves of our own log; a second record of them would only grow.
AXES_DISABLE_ACCESS_LOG = True
SESSION_COOKIE_AGE = 60 * read("LIANGZHU_SESSION_MINUTES")
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "liangzhu.kernel.web.csrf_failed"
# The account is locked whatever the address: a staff network shares few addresses, and an attacker has many.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if read("LIANGZHU_HTTPS"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31536000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOGGING = configuration(read("LIANGZHU_LOG_FORMAT"), read("LIANGZHU_LOG_LEVEL"))
