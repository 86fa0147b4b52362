"""Department applications and the OpenID Connect provider: see README.md."""
