"""The addresses of this app."""

app_name = "directory"
urlpatterns: list = []
