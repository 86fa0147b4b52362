"""The addresses of this app."""

app_name = "indicators"
urlpatterns: list = []
