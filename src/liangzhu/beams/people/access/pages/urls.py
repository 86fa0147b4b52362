"""The addresses of this app."""

app_name = "access"
urlpatterns: list = []
