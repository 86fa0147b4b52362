"""The addresses of this app."""

app_name = "programme"
urlpatterns: list = []
