"""The addresses of this app."""

app_name = "matters"
urlpatterns: list = []
